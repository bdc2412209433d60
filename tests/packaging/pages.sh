# SPDX-License-Identifier: MIT
# Manual pages name the options that --help does, and no others, and troff has nothing to say against them; shells
# read the completions.
# usage: bash pages.sh <folder of the pages> <rowsmith> <service>
set -euo pipefail
pages=$1 rowsmith=$2 service=$3

fail() {
  echo "pages: $1" >&2
  exit 1
}

# The options that a text of --help describes, and those of a manual page or a part of it.
help_options() { grep -oE '^  (-[A-Za-z],)?--?[A-Za-z][A-Za-z-]*' | grep -oE -- '--?[A-Za-z][A-Za-z-]*' | sort -u; }
page_options() {
  grep -E '^\\fB\\-' | sed -e 's/ .*\\fR|.*//' -e 's/\\-/-/g' | grep -oE '(^|, )\\fB-[A-Za-z-]+' | sed 's/.*\\fB//' | sort -u
}
same() { # NAME HELP PAGE
  [ -n "$2" ] || fail "$1: --help names no options"
  [ "$2" = "$3" ] || fail "$1: --help and the manual page name other options: $(diff <(echo "$2") <(echo "$3") || true)"
}

same rowsmith-service "$("$service" --help | help_options)" "$(page_options < "$pages/rowsmith-service.1")"
same rowsmith "$("$rowsmith" --help | help_options)" \
  "$(sed -n '/^\.SH OPTIONS/,/^\.SH COMMANDS/p' "$pages/rowsmith.1" | page_options)"
commands=$("$rowsmith" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "rowsmith --help names no commands"
[ "$(sed -n 's/^\.SS //p' "$pages/rowsmith.1")" = "$commands" ] || fail "the manual page has other commands than --help"
for command in $commands; do
  same "rowsmith $command" "$("$rowsmith" "$command" --help | help_options)" \
    "$(sed -n "/^\.SS $command\$/,/^\.S[SH] [^c]*\$/p" "$pages/rowsmith.1" | awk -v own=".SS $command" '/^\.S[SH] / && $0 != own { exit } 1' | page_options)"
done

skipped=()
if command -v groff > /dev/null; then
  for page in "$pages"/*.1; do
    said=$(groff -man -Tascii -ww -z "$page" 2>&1)
    [ -z "$said" ] || fail "$page: $said"
  done
else
  skipped+=(groff)
fi

completes() { # SHELL EXPECTED GOT
  [ "$2" = "$3" ] || fail "$1 completes '$3', expected '$2'"
}
completes bash --label \
  "$(bash -c 'source "$1"; COMP_WORDS=(rowsmith fit --la); COMP_CWORD=2; _rowsmith; echo "${COMPREPLY[@]}"' - "$pages/rowsmith")"
if command -v zsh > /dev/null; then
  # What it hands to zsh's own functions.
  completes zsh '--label[The column that says what a row is: a category]:label:_files' "$(zsh -fc '
    compdef() { [[ "$*" = "_rowsmith rowsmith" ]] }
    source "$1"
    _arguments() { print -lr -- "$@" | sed -n "s/^--label/&/p" | tr -d "\\\\" }
    words=(rowsmith fit --la) CURRENT=3
    _rowsmith' - "$pages/_rowsmith")"
  completes zsh 'describe' "$(zsh -fc '
    compdef() { : }
    source "$1"
    _describe() { print -r -- ${${(P)4}[1]%%:*} }
    words=(rowsmith de) CURRENT=2
    _rowsmith' - "$pages/_rowsmith")"
else
  skipped+=(zsh)
fi
if command -v fish > /dev/null; then
  # shellcheck disable=SC2016
  completes fish --label "$(fish --no-config -c 'source $argv[1]; complete -C "rowsmith fit --la"' "$pages/rowsmith.fish" | cut -f1)"
  # shellcheck disable=SC2016
  completes fish neural "$(fish --no-config -c 'source $argv[1]; complete -C "rowsmith fit --recipe neu"' "$pages/rowsmith.fish" | cut -f1)"
else
  skipped+=(fish)
fi
echo "pages: fine${skipped[*]:+; skipped, as they are not installed: ${skipped[*]}}"

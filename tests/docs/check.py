# SPDX-License-Identifier: MIT
"""Checks the code blocks of the pages that are not compiled with the library: every block has a language, Python and JSON
are read, commands of rowsmith have options that there are. With --cpp it writes the source of those that are.

usage: python3 check.py CHECKOUT [--program ROWSMITH] [--cc CC] [--cpp SOURCE]
"""
import argparse
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import blocks as docs


def commands_of(text):
    """The commands of a shell block, as lists of words; here-documents are left out."""
    text = re.sub(r"<<\s*'?(\w+)'?(.*)\n(?:.*\n)*?\1$", r"\2", text, flags=re.M)
    text = re.sub(r"\\\n", " ", text)
    commands, line = [], ""
    for part in text.split("\n"):
        line += ("\n" if line else "") + part
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:  # within quotes: goes on with the next line
            continue
        line = ""
        command = []
        for word in words:
            if re.fullmatch(r"[|&;()]+", word):
                commands.append(command)
                command = []
            else:
                command.append(word)
        commands.append(command)
    if line:
        raise ValueError(f"a quotation does not end: {line}")
    return [command for command in commands if command]


@functools.lru_cache(maxsize=None)
def options_of(program, command):
    """The options of a command of the program by its own help, each with whether it takes a value; None: no command."""
    done = subprocess.run([program, *filter(None, [command]), "--help"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    told = re.findall(r"^  (-[\w,-]+)( (?:TEXT|NUMBER|INT|UINT|FLOAT)\S*)?", done.stdout, re.M)
    return {name: bool(value) for names, value in told for name in names.split(",")}


def fault_of(program, words):
    """What is wrong with `rowsmith WORDS…`, or None."""
    if not words or words[0].startswith("-"):
        command, rest = "", words
    else:
        command, rest = words[0], words[1:]
    known = options_of(program, command)
    if known is None:
        return f"there is no command '{command}'"
    for word in rest:
        name = word.partition("=")[0]
        if re.match(r"--?[a-zA-Z]", word) and name not in known:
            return f"'{command}' has no option {name}"
    return None


def check_c(block, root, cc):
    body = re.sub(r"^#include.*$", "", block.text, flags=re.M)
    source = ("#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <rowsmith/deploy/c_api.h>\n"
              "int statements(uint64_t seed, uint64_t index);\nint statements(uint64_t seed, uint64_t index) {\n"
              f'#line {block.line} "{block.page}"\n{body}return status;\n}}\n')
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "block.c"
        path.write_text(source, encoding="utf-8")
        done = subprocess.run([cc, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{root}/include", str(path)],
                              capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def check(root, program, cc):
    faults, counts = [], {}
    for block in docs.blocks_of(root):
        language = block.language or "none"
        counts[language] = counts.get(language, 0) + 1
        try:
            if block.told.startswith("not run: ") or block.told == "output":
                continue
            if language == "python":
                compile(block.text, block.place, "exec")
            elif language == "json":
                json.loads(block.text)
            elif language == "sh":
                for command in commands_of(block.text):
                    if pathlib.PurePath(command[0]).name == "mpirun" and "rowsmith" in command:
                        command = command[command.index("rowsmith"):]
                    if pathlib.PurePath(command[0]).name == "rowsmith" and program:
                        fault = fault_of(program, command[1:])
                        if fault:
                            faults.append(f"{block.place}: {' '.join(command)}: {fault}")
            elif language == "c":
                fault = check_c(block, root, cc) if cc else None
                if fault:
                    faults.append(f"{block.place}: {fault}")
            elif language != "cpp":
                faults.append(f"{block.place}: a block of '{language}' that nothing looks at: say "
                              "'<!-- code: output -->' or '<!-- code: not run: WHY -->' before it")
        except (SyntaxError, ValueError) as error:
            faults.append(f"{block.place}: {error}")
    # Commands within sentences.
    for path in docs.pages(root) if program else []:
        text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        for span in re.findall(r"`(rowsmith [a-z]+(?: [^`]*)?)`", text):
            try:
                words = commands_of(span.replace("\\|", "|").replace("\n", " "))
            except ValueError as error:
                faults.append(f"{path.relative_to(root)}: `{span}`: {error}")
                continue
            if words and words[0][0] == "rowsmith" and words[0][1] != "COMMAND":
                fault = fault_of(program, words[0][1:])
                if fault:
                    faults.append(f"{path.relative_to(root)}: `{span}`: {fault}")
    return faults, counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout")
    parser.add_argument("--program")
    parser.add_argument("--cc")
    parser.add_argument("--cpp")
    options = parser.parse_args()
    root = pathlib.Path(options.checkout).resolve()
    if options.cpp:
        text = docs.translation_unit(root, docs.blocks_of(root))
        if not os.path.exists(options.cpp) or pathlib.Path(options.cpp).read_text(encoding="utf-8") != text:
            pathlib.Path(options.cpp).write_text(text, encoding="utf-8")
        return
    faults, counts = check(root, options.program, options.cc)
    told = ", ".join(f"{number} of {language}" for language, number in sorted(counts.items()))
    print("\n".join([*faults, f"blocks: {told}; {len(faults)} faults"]))
    sys.exit(1 if faults or not counts else 0)


if __name__ == "__main__":
    main()

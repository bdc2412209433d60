# SPDX-License-Identifier: MIT
"""The code blocks of README.md and docs/**/*.md, and what a comment of HTML right before one says of it:

    <!-- code: statements -->          which are compiled in a function
    <!-- code: uses train, test -->    statements that take these for granted (names: VALUES)
    <!-- code: with people.hpp -->     statements that need the header of a model, as `rowsmith export` writes it
    <!-- code: output -->              what a program prints
    <!-- code: not run: WHY -->        looked at, but never run or compiled

A block of C++ without one is a program, if it has a main, or stands outside of functions.
"""
import dataclasses
import pathlib
import re

# What statements may take for granted, as the parameters of a function.
VALUES = {
    "train": "const rowsmith::Table& train", "test": "const rowsmith::Table& test",
    "holdout": "const rowsmith::Table& holdout", "synthetic": "const rowsmith::Table& synthetic",
    "partial": "const rowsmith::Table& partial", "table": "const rowsmith::Table& table",
    "model": "const rowsmith::Synthesizer& model",
    "seed": "std::uint64_t seed", "index": "std::uint64_t index",
    "sampler": "const rowsmith::TypedSampler<docs::Person>& sampler", "scratch": "decltype(sampler.scratch())& scratch",
    "row": "decltype(sampler.row())& row", "use": "void (&use)(const decltype(sampler.row())&)",
    "reject": "void (&reject)()",
    "options": "const rowsmith::RecipeOptions<>& options", "stream": "ArrowArrayStream& stream",
    "open_it": "void (&open_it)(ArrowArrayStream&)",
}
PERSON = """namespace docs {
using Person = rowsmith::Schema<rowsmith::Numerical<"age">, rowsmith::Categorical<"workclass">, rowsmith::Label<"income">>;
}
"""


@dataclasses.dataclass
class Block:
    page: str
    line: int  # of its first line of code
    language: str
    told: str  # what the comment says
    text: str

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def name(self):
        return re.sub(r"\W+", "_", f"{self.page.removesuffix('.md')}_{self.line}")

    @property
    def file(self):
        """A file that its first line names, as `// main.cpp`."""
        match = re.match(r"(?://|#) ([\w.]+\.(?:cpp|py))\n", self.text)
        return match[1] if match else None


def pages(root):
    root = pathlib.Path(root)
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def blocks_of(root):
    found = []
    for path in pages(root):
        page = path.relative_to(root).as_posix()
        lines = path.read_text(encoding="utf-8").split("\n")
        opened, told = None, ""
        for number, line in enumerate(lines, 1):
            fence = re.match(r"(`{3,})(.*)$", line)
            if opened is None and fence:
                before = [text for text in lines[max(0, number - 3):number - 1] if text.strip()]
                comment = re.match(r"<!-- code: (.*) -->$", before[-1]) if before else None
                told = comment[1] if comment else ""
                opened = (fence[1], fence[2].strip(), number + 1)
            elif opened is not None and fence and fence[1] == opened[0] and not fence[2].strip():
                found.append(Block(page, opened[2], opened[1], told, "\n".join(lines[opened[2] - 1:number - 1]) + "\n"))
                opened = None
        if opened is not None:
            raise SystemExit(f"{page}:{opened[2]}: this block does not end")
    return found


def is_compiled(block):
    return block.language == "cpp" and not block.told.startswith(("not run: ", "with "))


def is_program(block):
    return re.search(r"^int main\(", block.text, re.M) is not None


def translation_unit(root, blocks):
    """All blocks of C++ in one source, each in a namespace of its own and at its own lines."""
    blocks = [block for block in blocks if is_compiled(block)]
    includes, bodies, programs = [], [], []
    for block in blocks:
        for include in re.findall(r"^#include <[^>]+>", block.text, re.M):
            if include not in includes:
                includes.append(include)
        body = re.sub(r"^#include <[^>]+>[^\n]*", "", block.text, flags=re.M)
        if re.search(r"^#include", body, re.M):
            raise SystemExit(f"{block.place}: includes a file of which nothing is known")
        before, after = "", ""
        if is_program(block):
            body = re.sub(r"^int main\(\)", "static int program()", body, flags=re.M)
            body = re.sub(r"\}\s*\Z", "return 0; }\n", body)
            programs.append(block)
        elif block.told:
            names = re.fullmatch(r"uses (\w+(?:, \w+)*)|statements", block.told)
            used = names[1].split(", ") if names and names[1] else []
            unknown = [name for name in used if name not in VALUES] if names else [block.told]
            if unknown:
                raise SystemExit(f"{block.place}: '<!-- code: {block.told} -->': {unknown[0]} is not known "
                                 "(tests/docs/blocks.py)")
            needs = ", ".join(VALUES[name] for name in used)
            before, after = f"[[maybe_unused]] static void statements({needs}) {{\n", "}\n"
        path = pathlib.Path(root) / block.page
        bodies.append(f'namespace {block.name} {{\n{before}#line {block.line} "{path}"\n{body}{after}}}\n')
    # The names by which tests/docs/starts.py calls the programs that pages have their readers write.
    calls = "".join(f'  if (name == "{block.name}")\n    return {block.name}::program();\n' for block in programs)
    return ("// Made of the pages by tests/docs/blocks.py.\n" + "\n".join(includes) +
            "\n#include <string_view>\n#include <rowsmith/rowsmith.hpp>\nnamespace rs = rowsmith;\n" + PERSON +
            "".join(bodies) + f'#line 1 "calls"\nint main(int count, char** arguments) {{\n'
            "  const std::string_view name = count > 1 ? arguments[1] : \"\";\n" + calls + "  return 2;\n}\n")

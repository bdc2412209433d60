# SPDX-License-Identifier: MIT
"""Lays the pages of the site out for mkdocs: docs/ as it is, README.md as overview.md, and the files that they link to in
the rest of the repository as pages that show them. Links are changed to where things are.

usage: python3 stage.py CHECKOUT XML WORK OUT   (pages in WORK/docs, WORK/mkdocs.yml)
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".h": "cpp", ".py": "python", ".sh": "bash", ".cmake": "cmake", ".json": "json"}
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")


class Stage:
    def __init__(self, checkout, work):
        self.checkout, self.docs = pathlib.Path(checkout).resolve(), pathlib.Path(work) / "docs"
        self.pages = {"README.md": "overview.md"}  # file of the repository -> page
        for path in sorted((self.checkout / "docs").rglob("*")):
            if path.is_file():
                self.pages[path.relative_to(self.checkout).as_posix()] = path.relative_to(self.checkout / "docs").as_posix()
        self.anchors = {}  # header -> page and anchor of the reference
        self.waiting = []

    def target_of(self, origin, page, link):
        """What a link in the repository's file `origin` is on the page `page`."""
        if re.match(r"[a-z]+:|#", link):
            return link
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(origin), path))
        if not (self.checkout / target).exists():
            sys.exit(f"{origin}: there is no {target}")
        if target not in self.pages:
            if target.startswith("include/rowsmith/") and target.count("/") > 2:
                folder, header = target.removeprefix("include/rowsmith/").split("/", 1)
                self.pages[target] = f"api/{folder}.md#" + re.sub(r"[^\w]+", "-", header.lower())
            else:
                self.pages[target] = f"source/{target.removeprefix('.').removesuffix('.md')}.md"
                self.waiting.append(target)
        found, _, own = self.pages[target].partition("#")
        anchor = anchor or own
        return os.path.relpath(found, os.path.dirname(page) or ".") + (f"#{anchor}" if anchor else "")

    def text_with_links(self, origin, page, text):
        """Links outside of code are changed; code is left alone."""
        code = []

        def put_away(match):
            code.append(match[0])
            return f"\0{len(code) - 1}\0"

        joined = re.sub(r"^```.*?^```[^\n]*$|`[^`\n]+`", put_away, text, flags=re.M | re.S)
        changed = LINK.sub(lambda m: m[1] + self.target_of(origin, page, m[2]) + m[3], joined)
        return re.sub(r"\0(\d+)\0", lambda m: code[int(m[1])], changed)

    def write(self, page, text):
        path = self.docs / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def source(self, target):
        """A page with a file, or with the files of a folder."""
        path, page = self.checkout / target, self.pages[target]
        if path.is_file() and path.suffix == ".md":
            return self.text_with_links(target, page, path.read_text(encoding="utf-8"))
        files = [path] if path.is_file() else [
            self.checkout / name for name in subprocess.run(
                ["git", "ls-files", target], cwd=self.checkout, check=True, capture_output=True, text=True).stdout.split()]
        text = f"# {target}\n"
        for file in files:
            try:
                body = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if file != path:
                text += f"\n## {file.relative_to(path).as_posix()}\n"
            text += f"\n`````{LANGUAGES.get(file.suffix, 'text')}\n{body}`````\n"
        return text

    def run(self):
        for origin, page in list(self.pages.items()):
            path = self.checkout / origin
            if path.suffix == ".md":
                self.write(page, self.text_with_links(origin, page, path.read_text(encoding="utf-8")))
            else:
                (self.docs / page).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, self.docs / page)
        sources = []
        while self.waiting:
            target = self.waiting.pop()
            self.write(self.pages[target], self.source(target))
            sources.append(self.pages[target])
        return sorted(sources)


def main():
    checkout, xml, work, out = sys.argv[1:]
    here = pathlib.Path(__file__).resolve().parent
    stage = Stage(checkout, work)
    sources = stage.run()
    made = subprocess.run([sys.executable, "-B", here / "api.py", xml, stage.checkout / "docs/architecture.md", stage.docs / "api"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    shutil.copy(here / "extra.css", stage.docs)
    with open(here / "mkdocs.yml", encoding="utf-8") as file:
        options = yaml.load(file, Loader=yaml.UnsafeLoader)
    options["docs_dir"], options["site_dir"] = str(stage.docs.resolve()), str(pathlib.Path(out).resolve())
    options["theme"]["custom_dir"] = str(here / "theme")
    pages = [page.split(" ", 1) for page in made.split("\n") if page]
    options["nav"].append({"API": ["api/index.md"] + [{title: f"api/{page}.md"} for page, title in pages]})
    options["nav"].append({"Sources": sources})
    with open(pathlib.Path(work) / "mkdocs.yml", "w", encoding="utf-8") as file:
        yaml.dump(options, file, sort_keys=False)


if __name__ == "__main__":
    main()

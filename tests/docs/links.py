# SPDX-License-Identifier: MIT
"""Looks for links and anchors that lead nowhere.

usage: python3 links.py --repository CHECKOUT   in the Markdown pages as they lie in the repository
       python3 links.py --site FOLDER           in a built site, which must load nothing from elsewhere either
       python3 links.py --self-check            does it find what it should?
"""
import html.parser
import os
import pathlib
import re
import sys
import tempfile
import urllib.parse


def without_code(text):
    text = re.sub(r"^(```+).*?^\1`*[^\n]*$", "", text, flags=re.M | re.S)
    return re.sub(r"<!--.*?-->", "", text, flags=re.S)


def slug(heading):
    """The anchor that a code host makes of a heading."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = re.sub(r"[`*]|<[^>]+>", "", heading)
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors_of_markdown(text):
    seen, anchors = {}, set()
    for heading in re.findall(r"^#{1,6} +(.*?)(?: +#+)?$", without_code(text), re.M):
        name = slug(heading)
        number = seen.get(name, 0)
        seen[name] = number + 1
        anchors.add(name if number == 0 else f"{name}-{number}")
    anchors.update(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    return anchors


def markdown_pages(root):
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    pages += [path for folder in (".github", ".packaging", ".site") for path in sorted((root / folder).rglob("*.md"))]
    pages += sorted((root / "examples").rglob("*.md"))
    return [page for page in pages if page.is_file()]


def check_repository(root):
    faults, checked = [], 0
    anchors = {}

    def anchors_of(path):
        if path not in anchors:
            anchors[path] = anchors_of_markdown(path.read_text(encoding="utf-8"))
        return anchors[path]

    for page in markdown_pages(root):
        text = page.read_text(encoding="utf-8")
        bare = re.sub(r"`[^`\n]*`", "code", without_code(text))
        links = re.findall(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", bare)
        links += re.findall(r"^\[[^\]]+\]:\s*(\S+)", bare, re.M)
        for link in links:
            checked += 1
            if re.match(r"[a-z][a-z+.-]*:", link):
                if not re.match(r"(https|mailto):", link):
                    faults.append(f"{page.relative_to(root)}: {link} is neither a relative link nor one of https")
                continue
            path, _, anchor = urllib.parse.unquote(link).partition("#")
            target = pathlib.Path(os.path.normpath(page.parent / path)) if path else page
            if not target.exists():
                faults.append(f"{page.relative_to(root)}: {link} leads nowhere")
            elif root not in [target, *target.parents]:
                faults.append(f"{page.relative_to(root)}: {link} leads out of the repository")
            elif anchor and target.suffix == ".md" and anchor not in anchors_of(target):
                faults.append(f"{page.relative_to(root)}: {link}: there is no such heading")
    return faults, checked


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loads = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if "id" in told:
            self.anchors.add(told["id"])
        if tag == "a" and told.get("name"):
            self.anchors.add(told["name"])
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        for name in ("src", "srcset", "poster", "data"):
            if told.get(name) and tag != "a":
                self.loads.append(told[name])
        if tag == "link" and told.get("href") and told.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(told["href"])


def check_site(root):
    faults, checked, pages = [], 0, {}

    def page_of(path):
        if path not in pages:
            pages[path] = Page(path.read_text(encoding="utf-8"))
        return pages[path]

    for path in sorted(root.rglob("*.html")):
        page, name = page_of(path), path.relative_to(root)
        for link in page.links + page.loads:
            checked += 1
            if re.match(r"([a-z][a-z+.-]*:|//)", link):
                if link in page.loads and not link.startswith("data:"):
                    faults.append(f"{name}: loads {link}")
                continue
            if name.name == "404.html":  # has links from the root of a host
                continue
            file, _, anchor = urllib.parse.unquote(link).partition("#")
            target = pathlib.Path(os.path.normpath(path.parent / file.partition("?")[0])) if file else path
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                faults.append(f"{name}: {link} leads nowhere")
            elif anchor and target.suffix == ".html" and anchor not in page_of(target).anchors:
                faults.append(f"{name}: {link}: there is no such anchor")
    for path in sorted(root.rglob("*.css")):
        for link in re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", path.read_text(encoding="utf-8")):
            faults.append(f"{path.relative_to(root)}: loads {link}")
    return faults, checked


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "docs" / "a.md").write_text("# A `b` & C\n\n## Two\n\n## Two\n\n```sh\n# no heading\n[x](no.md)\n```\n"
                                            "[fine](#two-1) [`fine`](../README.md#r) `[x](no.md)`\n", encoding="utf-8")
        (root / "README.md").write_text("# R\n\n[fine](docs/a.md#a-b--c) [also](docs/)\n", encoding="utf-8")
        assert check_repository(root) == ([], 4), check_repository(root)
        (root / "README.md").write_text("# R\n[a](docs/a.md#no-heading) [b](none.md) [c](http://host) [d](../x)\n[e\nf](g.md)\n",
                                        encoding="utf-8")
        faults = check_repository(root)[0]
        assert len(faults) == 5, faults
        (root / "one.html").write_text('<h1 id="x">X</h1><a href="two.html#y">y</a><a href="#x">x</a><img src="p.png">')
        (root / "two.html").write_text('<script src="https://host/s.js"></script><a href="https://host">fine</a>')
        (root / "s.css").write_text("@import url(https://host/f.css);")
        faults = check_site(root)[0]
        assert len(faults) == 4, faults


def main():
    if sys.argv[1:] == ["--self-check"]:
        self_check()
        print("links: finds what it should")
        return
    if len(sys.argv) != 3 or sys.argv[1] not in ("--repository", "--site"):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2]).resolve()
    faults, checked = check_repository(root) if sys.argv[1] == "--repository" else check_site(root)
    print("\n".join(faults + [f"links: {checked} looked at, {len(faults)} faults"]))
    sys.exit(1 if faults or not checked else 0)


if __name__ == "__main__":
    main()

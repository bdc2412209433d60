# SPDX-License-Identifier: MIT
"""Makes the API reference of what doxygen read in the headers: a page for each folder of include/rowsmith, in the order
of the table of levels in docs/architecture.md, each header a chapter, each class and function of it a section.

usage: python3 api.py XML ARCHITECTURE_MD FOLDER   prints a line "file title" for each page
"""
import html
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

NAMESPACE = "rowsmith::"
WIDEST = 88  # characters of a declaration on one line


def text_of(element):
    return "" if element is None else "".join(element.itertext()).strip()


def spelled(cpp):
    """A type or signature as the headers write it: doxygen sets blanks around angles and before references."""
    cpp = re.sub(r"<\s+", "<", cpp)
    cpp = re.sub(r"\s+>", ">", cpp)
    cpp = re.sub(r"\s+([&*]+)\s*", r"\1 ", cpp)
    cpp = re.sub(r"([&*]) (?=[,)>\]])", r"\1", cpp)
    cpp = re.sub(r"(\w)\s*=\s*", r"\1 = ", cpp)
    return cpp.replace("operator = ", "operator=").replace("= = ", "==").strip()


class Reference:
    def __init__(self, xml, architecture):
        self.xml = pathlib.Path(xml)
        self.levels = self.read_levels(pathlib.Path(architecture))
        self.headers = {}  # path below rowsmith/ -> its description and what it declares
        self.places = {}  # refid -> (page, anchor)
        self.anchors = {}  # page -> anchors taken
        for path in sorted(self.xml.glob("*.xml")):
            if path.name in ("index.xml", "Doxyfile.xml"):
                continue
            for compound in ElementTree.parse(path).getroot().iter("compounddef"):
                self.read(compound)
        for path in sorted(self.headers):
            self.place(path)

    @staticmethod
    def read_levels(path):
        """[(folder, level, what it holds)] of the first table with folders in it."""
        rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", path.read_text(encoding="utf-8"), re.M)
        levels = [(name, int(level), holds) for level, names, holds in rows for name in re.findall(r"`([\w.]+)`", names)]
        if not levels:
            sys.exit(f"{path}: there is no table of levels")
        return levels

    def header(self, location):
        path = location.removeprefix("rowsmith/")
        return self.headers.setdefault(path, {"about": None, "entries": []})

    def read(self, compound):
        kind, name = compound.get("kind"), text_of(compound.find("compoundname"))
        location = compound.find("location")
        if kind == "file":
            self.header(location.get("file"))["about"] = compound
        elif kind in ("class", "struct", "union", "concept"):
            if "detail" in name.split("::") or "@" in name or compound.get("prot", "public") != "public":
                return
            self.header(location.get("file"))["entries"].append(
                {"kind": kind, "name": name, "line": int(location.get("line")), "members": [compound]})
        if kind in ("file", "namespace"):
            for member in compound.iter("memberdef"):
                self.add_member(member)

    def add_member(self, member):
        name = text_of(member.find("qualifiedname")) or text_of(member.find("name"))
        if "detail" in name.split("::") or member.get("kind") in ("friend",) or re.match(r".*(_|^)HAS_", name):
            return
        if member.get("kind") == "define" and name in ("ROWSMITH_BEGIN", "ROWSMITH_END", "ROWSMITH_INSTRUCTION_SET"):
            return
        location = member.find("location")
        entries = self.header(location.get("file"))["entries"]
        for entry in entries:  # overloads are one section
            if entry["name"] == name and entry["kind"] == member.get("kind"):
                if any(m.get("id") == member.get("id") for m in entry["members"]):
                    return
                entry["members"].append(member)
                return
        entries.append({"kind": member.get("kind"), "name": name, "line": int(location.get("line")), "members": [member]})

    @staticmethod
    def page_of(path):
        folder = path.split("/")[0]
        return folder if "/" in path else {"synthesizer.hpp": "synthesizer"}.get(path)

    def anchor(self, page, wanted):
        slug = re.sub(r"[^\w]+", "-", wanted.lower()).strip("-") or "operator"
        taken = self.anchors.setdefault(page, set())
        anchor, number = slug, 1
        while anchor in taken:
            number += 1
            anchor = f"{slug}-{number}"
        taken.add(anchor)
        return anchor

    def place(self, path):
        page = self.page_of(path)
        if page is None:
            return
        header = self.headers[path]
        header["anchor"] = self.anchor(page, path.split("/", 1)[-1])
        header["entries"].sort(key=lambda entry: entry["line"])
        for entry in header["entries"]:
            entry["anchor"] = self.anchor(page, entry["name"].removeprefix(NAMESPACE))
            for member in entry["members"]:
                self.places[member.get("id")] = (page, entry["anchor"])
                for inner in member.iter("memberdef"):
                    self.places[inner.get("id")] = (page, entry["anchor"])
        if header["about"] is not None:
            self.places[header["about"].get("id")] = (page, header["anchor"])

    # ---- descriptions -----------------------------------------------------------------------------------
    def inline(self, element, page):
        out = html.escape(element.text or "", quote=False)
        for child in element:
            out += self.one(child, page) + html.escape(child.tail or "", quote=False)
        return out

    def one(self, child, page):
        if child.tag == "ref":
            place = self.places.get(child.get("refid"))
            inside = self.inline(child, page)
            return f'<a href="{place[0]}.html#{place[1]}">{inside}</a>' if place else inside
        if child.tag == "computeroutput":
            return f"<code>{self.inline(child, page)}</code>"
        if child.tag in ("emphasis", "bold"):
            tag = {"emphasis": "em", "bold": "strong"}[child.tag]
            return f"<{tag}>{self.inline(child, page)}</{tag}>"
        if child.tag == "linebreak":
            return "<br>"
        if child.tag == "sp":
            return " "
        if child.tag == "zwj":
            return ""
        if child.tag in ("para", "blockquote", "highlight", "ndash", "mdash"):
            return {"ndash": "–", "mdash": "—"}.get(child.tag) or self.inline(child, page)
        sys.exit(f"api.py: cannot write <{child.tag}> of a docstring: {text_of(child)!r}")

    def described(self, element, page):
        """A description as HTML, its lists of parameters and errors behind its paragraphs."""
        blocks, lists = [], []
        for para in element.findall("para") if element is not None else []:
            words = html.escape(para.text or "", quote=False)
            for child in para:
                if child.tag == "parameterlist":
                    title = {"exception": "Throws", "param": "Parameters", "templateparam": "Template parameters"}[
                        child.get("kind")]
                    for item in child.findall("parameteritem"):
                        names = ", ".join(self.inline(name, page) for name in item.iter("parametername"))
                        about = " ".join(self.inline(p, page) for p in item.find("parameterdescription").findall("para"))
                        lists.append((title, f"<code>{names}</code> {about}"))
                elif child.tag == "simplesect":
                    title = {"return": "Returns", "see": "See", "note": "Note"}[child.get("kind")]
                    lists.append((title, " ".join(self.inline(p, page) for p in child.findall("para"))))
                elif child.tag == "programlisting":
                    lines = [re.sub(r"\s+$", "", "".join(self.plain(part) for part in line)) for line in child]
                    blocks.append(f"<p>{words}</p>" if words.strip() else "")
                    words = ""
                    blocks.append("```cpp\n" + "\n".join(lines) + "\n```")
                else:
                    words += self.one(child, page)
                words += html.escape(child.tail or "", quote=False)
            if words.strip():
                blocks.append(f"<p>{words.strip()}</p>")
        if lists:
            rows, last = "", None
            for title, about in lists:
                if title != last:
                    rows += f"<dt>{title}</dt>"
                last = title
                rows += f"<dd>{about.strip()}</dd>"
            blocks.append(f'<dl class="told">{rows}</dl>')
        return [block for block in blocks if block]

    @staticmethod
    def plain(element):
        out = (element.text or "")
        for child in element:
            out += (" " if child.tag == "sp" else Reference.plain(child)) + (child.tail or "")
        return out

    def about(self, member, page):
        return self.described(member.find("briefdescription"), page) + self.described(
            member.find("detaileddescription"), page)

    # ---- declarations -----------------------------------------------------------------------------------
    @staticmethod
    def template_line(member):
        parameters = member.find("templateparamlist")
        line = ""
        if parameters is not None:
            each = []
            for param in parameters.findall("param"):
                told = " ".join(filter(None, (spelled(text_of(param.find("type"))), text_of(param.find("declname")))))
                default = spelled(text_of(param.find("defval")))
                each.append(told + (f" = {default}" if default else ""))
            line = f"template <{', '.join(each)}>\n"
        clause = text_of(member.find("requiresclause"))
        return line + (f"  requires {spelled(clause)}\n" if clause else "")

    def declaration(self, member):
        kind, name = member.get("kind"), text_of(member.find("name"))
        kind_of_type = spelled(text_of(member.find("type")))
        if kind == "function":
            head = self.template_line(member)
            before = "static " if member.get("static") == "yes" else ""
            if member.get("explicit") == "yes" and not kind_of_type.startswith("explicit"):
                before += "explicit "
            before += kind_of_type + " " if kind_of_type else ""
            arguments = spelled(text_of(member.find("argsstring")))
            line = f"{before}{name}{arguments};"
            if len(line) > WIDEST and "(" in arguments:
                line = f"{before}{name}{self.broken(arguments)};"
            return head + line
        if kind == "typedef":
            return self.template_line(member) + f"using {name} = {kind_of_type};"
        if kind == "enum":
            values = [text_of(v.find("name")) + (" " + text_of(v.find("initializer")) if v.find("initializer") is not None
                                                 else "") for v in member.findall("enumvalue")]
            line = f"enum class {name} {{ {', '.join(values)} }};"
            if len(line) > WIDEST:
                line = f"enum class {name} {{\n  " + ",\n  ".join(values) + "\n};"
            return line
        if kind == "define":
            arguments = [text_of(param) for param in member.findall("param")]
            value = text_of(member.find("initializer"))
            return f"#define {name}" + (f"({', '.join(arguments)})" if arguments else "") + f" {value}"
        initial = text_of(member.find("initializer"))
        initial = "" if "\n" in initial or len(initial) > 60 else spelled(" " + initial)
        static = "static " if member.get("static") == "yes" and not kind_of_type.startswith("static") else ""
        arguments = text_of(member.find("argsstring"))
        return self.template_line(member) + f"{static}{kind_of_type} {name}{arguments}" + (
            (" " + initial if initial.startswith("=") else initial) + ";")

    @staticmethod
    def broken(arguments):
        """Arguments one a line."""
        depth, parts, start = 0, [], 1
        for i, letter in enumerate(arguments):
            if letter in "(<{[":
                depth += 1
            elif letter in ")>}]":
                depth -= 1
                if depth == 0 and letter == ")":
                    parts.append(arguments[start:i])
                    return "(\n    " + ",\n    ".join(p.strip() for p in parts) + ")" + arguments[i + 1:]
            elif letter == "," and depth == 1:
                parts.append(arguments[start:i])
                start = i + 1
        return arguments

    def members(self, compound, page):
        """What a class has for its users; what says nothing of itself stands together, in its place."""
        blocks, silent = [], []

        def flush():
            if silent:
                blocks.append("```cpp\n" + "\n".join(silent) + "\n```")
                silent.clear()

        members = [m for m in compound.iter("memberdef") if m.get("prot") == "public" and m.get("kind") != "friend"]
        for member in sorted(members, key=lambda m: int(m.find("location").get("line"))):
            told = self.about(member, page)
            for value in member.findall("enumvalue"):
                words = self.about(value, page)
                if words:
                    told.append(f"<p><code>{text_of(value.find('name'))}</code>: " + words[0][len("<p>"):])
            if told:
                flush()
                blocks.append("```cpp\n" + self.declaration(member) + "\n```")
                blocks.append('<div class="told-of" markdown="block">\n\n' + "\n\n".join(told) + "\n\n</div>")
            else:
                silent.append(self.declaration(member))
        flush()
        return blocks

    # ---- pages ------------------------------------------------------------------------------------------
    def section(self, entry, page):
        name = entry["name"].removeprefix(NAMESPACE)
        blocks = [f"### {html.escape(name).replace('*', '&#42;')} {{#{entry['anchor']}}}"]
        first = entry["members"][0]
        if entry["kind"] in ("class", "struct", "union"):
            bases = [spelled(text_of(base)) for base in first.findall("basecompoundref")
                     if base.get("prot") == "public" and "detail::" not in text_of(base)]
            head = self.template_line(first) + f"{entry['kind']} {name}" + (f" : {', '.join(bases)}" if bases else "")
            blocks.append(f"```cpp\n{head};\n```")
            blocks += self.about(first, page)
            blocks += self.members(first, page)
        elif entry["kind"] == "concept":
            lines = spelled(text_of(first.find("initializer")).replace("rowsmith::", "")).split("\n")
            blocks.append("```cpp\n" + "\n".join(line for line in lines if line.strip()) + "\n```")
            blocks += self.about(first, page)
        else:
            for member in entry["members"]:
                blocks.append("```cpp\n" + self.declaration(member) + "\n```")
                blocks += self.about(member, page)
                for value in member.findall("enumvalue"):
                    words = self.about(value, page)
                    if words:
                        blocks.append(f"<p><code>{text_of(value.find('name'))}</code>: " + words[0][len("<p>"):])
        return blocks

    def first_sentence(self, header, page):
        if header["about"] is None:
            return ""
        told = self.about(header["about"], page)
        words = " ".join(re.sub(r"^<p>|</p>$", "", block) for block in told[:2] if block.startswith("<p>"))
        return re.split(r"(?<=[^.]\.)(?<!al\.) ", words, maxsplit=1)[0]

    def page(self, folder, level, holds):
        if folder.endswith(".hpp"):
            paths, page = [folder], self.page_of(folder)
        else:
            paths, page = sorted(path for path in self.headers if path.startswith(folder + "/")), folder
        if page is None:
            return None
        title = folder
        blocks = [f"# rowsmith/{title}", f"Level {level} of the [architecture](../architecture.md): {holds}."]
        if not folder.endswith(".hpp"):
            rows = [f"<tr><td><a href=\"#{self.headers[p]['anchor']}\">{p.split('/', 1)[1]}</a></td>"
                    f"<td>{self.first_sentence(self.headers[p], page)}</td></tr>" for p in paths]
            blocks.append('<table class="headers"><thead><tr><th>header</th><th>holds</th></tr></thead><tbody>'
                          + "".join(rows) + "</tbody></table>")
        for path in paths:
            header = self.headers[path]
            blocks.append(f"## {path.split('/', 1)[-1]} {{#{header['anchor']}}}")
            blocks.append(f"```cpp\n#include <rowsmith/{path}>\n```")
            if header["about"] is not None:
                blocks += self.about(header["about"], page)
            if not header["entries"]:
                blocks.append("<p>What it declares is for the library's own use (<code>detail</code>).</p>")
            for entry in header["entries"]:
                blocks += self.section(entry, page)
        return page, title, "\n\n".join(blocks) + "\n"


def main():
    xml, architecture, folder = sys.argv[1:]
    reference = Reference(xml, architecture)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    known = {name for name, _, _ in reference.levels} | {"rowsmith.hpp"}
    for path in reference.headers:
        top = path.split("/")[0]
        if "/" in path and top not in known:
            sys.exit(f"api.py: the table of levels in {architecture} has no folder {top}")
    rows = []
    for name, level, holds in reference.levels:
        made = reference.page(name, level, holds)
        if made is None:
            continue
        page, title, text = made
        (folder / f"{page}.md").write_text(text, encoding="utf-8")
        print(page, title)
        rows.append(f"| {level} | [{title}]({page}.md) | {holds} |")
    (folder / "index.md").write_text(
        "# API reference\n\nMade of the docstrings. Folders stand in the order of the [architecture](../architecture.md): "
        "each uses those above it. `#include <rowsmith/rowsmith.hpp>` has all of them, `<rowsmith/FOLDER.hpp>` one. Most "
        "programs need [synthesizer.hpp](synthesizer.md), [table](table.md) and [evaluate](evaluate.md). Names in "
        "`rowsmith::detail` are left out: they may change at any time.\n\n| level | folder | holds |\n|---|---|---|\n"
        + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

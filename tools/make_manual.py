"""Makes docs/MANUAL.html: the complete reference as one file that is read offline.

Problem: the documents link to each other, the commands explain themselves only when asked, and an
operator without a network needs all of it in one place. Method: every document becomes a chapter of
one page, in the order that `manual_order` gives; the commands and the index are written as Markdown
from the parsers and enumerations themselves and take the same road; links between documents become
anchors, and one that leads nowhere is an error; figures become a part of the page. Nothing is
loaded from outside, and a policy in the page forbids it.

The same sources give the same bytes on every supported Python: no dates, and no text that
`argparse` formats, as its layout differs between versions.

`python tools/make_manual.py` writes the file, the table of documents in README and the tables of
docs/TROUBLESHOOTING.md; with `--check` it only says whether all are up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from make_troubleshooting import DOCUMENT as TROUBLESHOOTING
from make_troubleshooting import with_tables
from manual_commands import commands, plain, slug
from manual_order import GENERATED, README, documents, parts_of, with_table, without_place
from manual_page import Section, Shown, ShownPart, figure, page
from markdown_it import MarkdownIt
from markdown_it.token import Token

from logos.config.template import default_toml
from logos.core.types import Code, SessionStatus

PROJECT = Path(__file__).resolve().parent.parent
MANUAL = PROJECT / "docs" / "MANUAL.html"
COMMAND = "make manual"

_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
"""A line of a document that speaks to the tests and tools, not to the reader."""
_EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class ManualError(Exception):
    """A document cannot become a part of the manual; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class Heading:
    """One entry of the table of contents: its level in the document (1 is the title)."""

    level: int
    anchor: str
    text: str


@dataclass(slots=True)
class Chapter:
    """One document: where it comes from, what it is made of, and the headings found in it."""

    source: str
    key: str
    tokens: list[Token]
    headings: list[Heading]
    anchors: Mapping[str, str]
    """The anchor in the manual of each anchor in the document."""


def build() -> str:
    """The manual, as HTML. Raises ManualError for a document that does not fit in."""
    texts = _texts()
    markdown = _markdown()
    chapters = {source: _chapter(source, text, markdown) for source, text in texts.items()}
    shown = []
    for part in parts_of(frozenset(texts)):
        inside = []
        for source, name in part.chapters:
            if source not in chapters:
                continue
            chapter = chapters[source]
            _join(chapter, chapters)
            body = markdown.renderer.render(chapter.tokens, markdown.options, {})
            sections = [
                Section(each.level, each.anchor, each.text)
                for each in chapter.headings[1:]
                if each.level <= 3
            ]
            inside.append(Shown(chapter.key, name, sections, body))
        if inside:
            shown.append(ShownPart(part.key, part.title, part.purpose, inside))
    return page(shown)


# ---- the sources ----


def _texts() -> dict[str, str]:
    """The Markdown of every chapter, in the order of the manual."""
    found = documents()
    homeless = without_place(found)
    if homeless:
        raise ManualError(
            f"{', '.join(homeless)}: no part of the manual has it; name it in tools/manual_order.py"
        )
    order = [source for part in parts_of(found) for source, _ in part.chapters]
    written = {
        name: _COMMENT.sub("", (PROJECT / name).read_text(encoding="utf-8"))
        for name in order
        if name not in GENERATED
    }
    made = {"commands": commands(), "settings": settings(), "index": index(written)}
    return {name: made[name] if name in made else written[name] for name in order}


def settings() -> str:
    """Every key of the settings as the file that `logos config init` writes, as Markdown."""
    return (
        "# The settings file\n\n"
        "What `logos config init` writes: every key with its default and its meaning. "
        "[CONFIGURATION.md](docs/CONFIGURATION.md) says what wins over what, and more of each.\n\n"
        f"```toml\n{default_toml().strip()}\n```\n"
    )


def index(texts: Mapping[str, str]) -> str:
    """Codes and statuses, each with the sections that speak of it, as Markdown."""
    markdown = _markdown()
    places: dict[str, dict[str, str]] = {}
    for source, text in texts.items():
        chapter = _chapter(source, text, markdown)
        for word, section in _code_words(chapter):
            link = f"{source}#{section.anchor.removeprefix(f'{chapter.key}-')}"
            if section.level == 1:
                link = source
            title = chapter.headings[0].text if section.level == 1 else section.text
            places.setdefault(word, {}).setdefault(link, title)
    lines = [
        "# Index of codes\n",
        "Refusal codes and other codes of the journal in their order of precedence, then how "
        "sessions end, with the sections that speak of each.\n",
        "| code | where |\n|---|---|",
    ]
    for word in dict.fromkeys([each.value for each in (*Code, *SessionStatus)]):
        if word not in places:
            raise ManualError(f"the code {word} stands in no document: explain it in ARTIFACTS.md")
        links = ", ".join(f"[{plain(title)}]({link})" for link, title in places[word].items())
        lines.append(f"| `{word}` | {links} |")
    return "\n".join(lines) + "\n"


def _code_words(chapter: Chapter) -> Iterator[tuple[str, Heading]]:
    """Every piece of code in the chapter's prose and tables, with the section it stands in."""
    known = {each.value for each in (*Code, *SessionStatus)}
    headings = iter(chapter.headings)
    section = chapter.headings[0]
    for token in chapter.tokens:
        if token.type == "heading_open":
            section = next(headings)
        for child in token.children or ():
            if child.type == "code_inline" and child.content in known:
                yield child.content, section


# ---- from documents to one page ----


def _markdown() -> MarkdownIt:
    """What reads the documents. A wide table becomes a region that is scrolled by itself."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll">\n<table>\n')
    markdown.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    # The file is sent whole, so: a line for each row, and no end tags that HTML does without.
    for name in ("th_close", "td_close"):
        markdown.add_render_rule(name, lambda *_: "")
    markdown.add_render_rule("tr_open", lambda *_: "<tr>")
    markdown.add_render_rule("tr_close", lambda *_: "\n")
    return markdown


def _chapter(source: str, text: str, markdown: MarkdownIt) -> Chapter:
    """Parse one document and name its headings. Raises ManualError."""
    key = source if source in GENERATED else Path(source).stem.lower()
    tokens = markdown.parse(text)
    headings: list[Heading] = []
    anchors: dict[str, str] = {}
    for position, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        words = _words(tokens[position + 1])
        name = slug(words)
        repeated = sum(
            re.fullmatch(rf"{re.escape(name)}(-\d+)?", each) is not None for each in anchors
        )
        name = f"{name}-{repeated}" if name in anchors else name
        level = int(token.tag[1])
        anchor = f"{key}-{name}"
        anchors[name] = anchor
        headings.append(Heading(level, anchor, words))
        token.attrSet("id", anchor)
    if not headings or headings[0].level != 1:
        raise ManualError(f"{source} does not begin with a title: its first line must be '# ...'")
    return Chapter(source, key, tokens, headings, anchors)


def _words(token: Token) -> str:
    """The text of an inline token, without its markup."""
    return "".join(child.content for child in token.children or ())


def _join(chapter: Chapter, chapters: Mapping[str, Chapter]) -> None:
    """Make the document's links anchors of the one page, and its headings one level lower."""
    _draw(chapter)
    for position, token in enumerate(chapter.tokens):
        if token.type == "th_open" and not chapter.tokens[position + 1].content:
            token.tag = chapter.tokens[position + 2].tag = "td"  # an empty cell heads nothing
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        if "style" in token.attrs:  # of a column: the policy allows no style in the text
            token.attrs["class"] = str(token.attrs.pop("style")).replace("text-align:", "to-")
        is_dropped: list[bool] = []
        for child in token.children or ():
            if child.type == "image":
                raise ManualError(f"{chapter.source}: a picture stands in a paragraph of its own")
            if child.type == "link_open":
                target = _target(str(child.attrGet("href")), chapter, chapters)
                is_dropped.append(not target)
                child.attrSet("href", target)
            if child.type in ("link_open", "link_close"):
                dropped = is_dropped[-1]
                if child.type == "link_close":
                    is_dropped.pop()
                if dropped:
                    # Beside the checkout there is no such file: its name is what remains.
                    child.type, child.tag, child.nesting, child.content = "text", "", 0, ""


def _draw(chapter: Chapter) -> None:
    """Make each paragraph that is one picture a figure, which is drawn in the page itself."""
    for position, token in enumerate(chapter.tokens):
        children = token.children or []
        if len(children) != 1 or children[0].type != "image":
            continue
        href = str(children[0].attrGet("src"))
        folder = "" if chapter.source in GENERATED else str(Path(chapter.source).parent)
        try:
            drawn = figure(PROJECT / normpath(f"{folder}/{href}".lstrip("/")), children[0].content)
        except (OSError, ValueError) as error:
            raise ManualError(f"{chapter.source}: {href}: {error}") from None
        for each in chapter.tokens[position - 1 : position + 2 : 2]:
            each.hidden = True  # the paragraph around it
        token.type, token.content, token.children = "html_block", drawn, None


def _target(href: str, chapter: Chapter, chapters: Mapping[str, Chapter]) -> str:
    """Where a link leads in the manual; empty for a file of the project that is no part of it."""
    if _EXTERNAL.match(href):
        return href
    name, _, anchor = href.partition("#")
    folder = "" if chapter.source in GENERATED else str(Path(chapter.source).parent)
    source = normpath(f"{folder}/{name}".lstrip("/")) if name else chapter.source
    if source == "docs/MANUAL.html":
        return "#top"
    if source not in chapters:
        if not (PROJECT / source).exists():
            raise ManualError(f"{chapter.source}: the link to {href} leads to no file")
        return ""
    there = chapters[source]
    if not anchor:
        return f"#{there.key}"
    if anchor not in there.anchors:
        raise ManualError(f"{chapter.source}: {source} has no section '#{anchor}'")
    return f"#{there.anchors[anchor]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the manual, or with `--check` compare it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make docs/MANUAL.html.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it is stale")
    options = parser.parse_args(arguments)
    try:
        readme = README.read_text(encoding="utf-8")
        tabled = with_table(readme, documents())
        held = TROUBLESHOOTING.read_text(encoding="utf-8")
        holding = with_tables(held)
        if not options.check:
            TROUBLESHOOTING.write_text(holding, encoding="utf-8", newline="\n")
            README.write_text(tabled, encoding="utf-8", newline="\n")
            MANUAL.write_text(build(), encoding="utf-8", newline="\n")
            return 0
        is_current = tabled == readme and holding == held
        is_current = is_current and MANUAL.is_file() and MANUAL.read_text("utf-8") == build()
    except (ManualError, ValueError) as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 2
    if is_current:
        return 0
    print(
        "README.md, docs/TROUBLESHOOTING.md or docs/MANUAL.html is not what its sources give: "
        f"run `{COMMAND}`",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())

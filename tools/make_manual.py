"""Makes docs/MANUAL.html: the complete reference as one file that is read offline.

Problem: the documents link to each other, the commands explain themselves only when asked, and an
operator without a network needs all of it in one place. Method: every document becomes a chapter of
one page; the commands and the index are written as Markdown from the parsers and enumerations
themselves and take the same road; links between documents become anchors, and one that leads
nowhere is an error. Nothing is loaded from outside, and a policy in the page forbids it.

The same sources give the same bytes on every supported Python: no dates, and no text that
`argparse` formats, as its layout differs between versions.

`python tools/make_manual.py` writes the file; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from manual_commands import commands, plain, slug
from markdown_it import MarkdownIt
from markdown_it.token import Token

from logos import __version__
from logos.config.template import default_toml
from logos.core.types import Code, SessionStatus

PROJECT = Path(__file__).resolve().parent.parent
MANUAL = PROJECT / "docs" / "MANUAL.html"
STYLE = PROJECT / "tools" / "manual.css"
COMMAND = "make manual"

_FIRST = (
    "README.md",
    "docs/LIVE-RUNBOOK.md",
    "docs/DEPLOY.md",
    "docs/SESSIONS.md",
    "commands",
    "docs/CONFIGURATION.md",
    "settings",
    "docs/DATA.md",
    "docs/FEEDS.md",
    "docs/WRITING-A-STRATEGY.md",
    "docs/FILLS.md",
    "docs/GUARDS.md",
    "docs/VENUES.md",
    "docs/MT5.md",
    "docs/RECONCILIATION.md",
    "docs/ALERTS.md",
    "docs/FLEET.md",
    "docs/REHEARSAL.md",
    "docs/JOURNAL.md",
    "docs/KAFKA.md",
    "docs/ARTIFACTS.md",
    "docs/METRICS.md",
    "docs/JSON-LOG.md",
)
"""What a reader needs, in the order in which it is needed; other documents follow by name."""
_LAST = ("docs/ARCHITECTURE.md", "CONTRIBUTING.md", "index")
_GENERATED = ("commands", "settings", "index")

_CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
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
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    chapters = {source: _chapter(source, text, markdown) for source, text in texts.items()}
    bodies = []
    for chapter in chapters.values():
        _join(chapter, chapters)
        body = markdown.renderer.render(chapter.tokens, markdown.options, {})
        bodies.append(f'<section id="{chapter.key}">\n{body}</section>\n')
    contents = "".join(_contents(chapter) for chapter in chapters.values())
    return _page(contents, "".join(bodies))


# ---- the sources ----


def _texts() -> dict[str, str]:
    """The Markdown of every chapter, in the order of the manual."""
    found = {f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md")}
    order = [name for name in _FIRST if name in found or not name.startswith("docs/")]
    order += sorted(found - set(_FIRST) - set(_LAST))
    order += [name for name in _LAST if name in found or not name.startswith("docs/")]
    written = {
        name: _COMMENT.sub("", (PROJECT / name).read_text(encoding="utf-8"))
        for name in order
        if name not in _GENERATED
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
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
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


def _chapter(source: str, text: str, markdown: MarkdownIt) -> Chapter:
    """Parse one document and name its headings. Raises ManualError."""
    key = source if source in _GENERATED else Path(source).stem.lower()
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
    for token in chapter.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        if token.type == "table_open":
            token.attrSet("class", "rows")
        is_dropped: list[bool] = []
        for child in token.children or ():
            if child.type == "image":
                raise ManualError(
                    f"{chapter.source}: the manual has no images; describe it instead"
                )
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


def _target(href: str, chapter: Chapter, chapters: Mapping[str, Chapter]) -> str:
    """Where a link leads in the manual; empty for a file of the project that is no part of it."""
    if _EXTERNAL.match(href):
        return href
    name, _, anchor = href.partition("#")
    folder = "" if chapter.source in _GENERATED else str(Path(chapter.source).parent)
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


def _contents(chapter: Chapter) -> str:
    """The chapter's entry in the table of contents, with its sections below it."""
    title, *sections = chapter.headings
    link = f'<a href="#{chapter.key}">{html.escape(title.text)}</a>'
    shown = [section for section in sections if section.level <= 3]
    if not shown:
        return f"<p>{link}</p>\n"
    items = "".join(
        f'<li class="l{section.level}"><a href="#{section.anchor}">{html.escape(section.text)}</a>'
        "</li>\n"
        for section in shown
    )
    return f"<details><summary>{link}</summary>\n<ul>\n{items}</ul>\n</details>\n"


def _page(contents: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>logos {__version__}: manual</title>
<style>
{STYLE.read_text(encoding="utf-8").strip()}
</style>
</head>
<body id="top">
<nav aria-label="Contents">
<h1>logos {__version__}</h1>
<p>The complete manual. It needs no network; find in page searches all of it.</p>
{contents}</nav>
<main>
{body}</main>
</body>
</html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the manual, or with `--check` compare it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make docs/MANUAL.html.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it is stale")
    options = parser.parse_args(arguments)
    try:
        made = build()
    except ManualError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 2
    if not options.check:
        MANUAL.write_text(made, encoding="utf-8", newline="\n")
        return 0
    if MANUAL.is_file() and MANUAL.read_text(encoding="utf-8") == made:
        return 0
    print(f"docs/MANUAL.html is not what its sources give: run `{COMMAND}`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

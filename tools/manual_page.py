"""The page around the chapters of the manual: contents, search box, style, and its policy.

Nothing is loaded from outside. The policy allows the one style and the one script that are in the
page, each by its hash: neither a document nor a name in it can add another.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logos import __version__

TOOLS = Path(__file__).resolve().parent
STYLE = TOOLS / "manual.css"
FIGURE_STYLE = TOOLS / "figures.css"
SCRIPT = TOOLS / "manual.js"


@dataclass(frozen=True, slots=True)
class Section:
    """One entry below a chapter in the table of contents: its level in the document, from 2 on."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A chapter as the page shows it: its anchor, its short name, its sections, its HTML."""

    key: str
    name: str
    sections: Sequence[Section]
    body: str


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part of the manual with its chapters."""

    key: str
    title: str
    purpose: str
    chapters: Sequence[Shown]


def page(parts: Sequence[ShownPart]) -> str:
    """The whole page, as HTML."""
    style, script = _embedded(STYLE, FIGURE_STYLE), _embedded(SCRIPT)
    policy = (
        f"default-src 'none'; style-src {_hash_of(style)}; script-src {_hash_of(script)}; "
        "img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    chapters = [chapter for part in parts for chapter in part.chapters]
    bodies = []
    for part in parts:
        bodies.append(
            f'<div class="part" id="part-{part.key}" role="note">\n'
            f"<p><b>{html.escape(part.title)}</b>: {html.escape(part.purpose)}</p>\n</div>\n"
        )
        bodies += [_chapter(chapter, chapters) for chapter in part.chapters]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>logos {__version__}: manual</title>
<style>{style}</style>
</head>
<body id="top">
<a class="skip" href="#readme">Skip to the text</a>
<nav aria-label="Manual">
<h1><a href="#top">logos {__version__}</a></h1>
<form id="search" role="search" hidden>
<label for="query">Search</label>
<input id="query" type="search" autocomplete="off" spellcheck="false" placeholder="Search ( / )">
</form>
<p id="said" role="status" hidden></p>
<ol id="search-results" hidden></ol>
<details id="contents" open>
<summary>Contents</summary>
{"".join(_contents(part) for part in parts)}</details>
</nav>
<main>
{"".join(bodies)}</main>
<script>{script}</script>
</body>
</html>
"""


def _embedded(*paths: Path) -> str:
    texts = [path.read_text(encoding="utf-8").strip() for path in paths]
    return "\n".join(["", *texts, ""])


def _hash_of(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _contents(part: ShownPart) -> str:
    """The part's entry in the table of contents, with its chapters and their sections."""
    lines = [f'<p class="part"><a href="#part-{part.key}">{html.escape(part.title)}</a></p>\n']
    for chapter in part.chapters:
        link = f'<a href="#{chapter.key}">{html.escape(chapter.name)}</a>'
        if not chapter.sections:
            lines.append(f'<p class="alone">{link}</p>\n')
            continue
        items = "".join(
            f'<li class="l{section.level}"><a href="#{section.anchor}">'
            f"{html.escape(section.text)}</a></li>\n"
            for section in chapter.sections
        )
        lines.append(f"<details><summary>{link}</summary>\n<ul>\n{items}</ul>\n</details>\n")
    return "".join(lines)


def _chapter(chapter: Shown, chapters: Sequence[Shown]) -> str:
    """A chapter, with the way to the one before it and the one after it."""
    at = chapters.index(chapter)
    ways = []
    if at:
        before = chapters[at - 1]
        ways.append(f'<a rel="prev" href="#{before.key}">← {html.escape(before.name)}</a>')
    ways.append('<a href="#top">Top</a>')
    if at + 1 < len(chapters):
        after = chapters[at + 1]
        ways.append(f'<a rel="next" href="#{after.key}">{html.escape(after.name)} →</a>')
    way = "\n".join(ways)
    name = html.escape(chapter.name)
    return (
        f'<section id="{chapter.key}">\n{chapter.body}'
        f'<nav class="way" aria-label="After {name}">\n{way}\n</nav>\n</section>\n'
    )


_XML = re.compile(r"\A<\?xml[^>]*\?>\s*")
_STYLE = re.compile(r"<style>.*?</style>\s*", re.S)
_WIDTH = re.compile(r'\A(<svg [^>]*?viewBox="0 0 (\d+) \d+"[^>]*?)>')


def figure(path: Path, alternative: str) -> str:
    """A drawing or a picture of the project as a part of the page. Raises OSError, ValueError.

    The style that it carries for itself is left out: the page's is the same.
    """
    if path.suffix == ".png":
        data = base64.b64encode(path.read_bytes()).decode()
        words = html.escape(alternative)
        return (
            f'<figure>\n<img alt="{words}" src="data:image/png;base64,{data}">\n'
            f"<figcaption>{words}</figcaption>\n</figure>\n"
        )
    if path.suffix != ".svg":
        raise ValueError("the manual shows drawings (.svg) and pictures (.png) alone")
    drawn = _STYLE.sub("", _XML.sub("", path.read_text(encoding="utf-8")))
    if "<script" in drawn or "href" in drawn or not _WIDTH.match(drawn):
        raise ValueError("no drawing that a page may hold: a script, a link, or no viewBox")
    return (
        f'<figure>\n<div class="scroll">\n{drawn.strip()}\n</div>\n'
        f"<figcaption>{html.escape(alternative)}</figcaption>\n</figure>\n"
    )

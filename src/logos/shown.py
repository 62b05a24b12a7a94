"""What strangers wrote, made fit to be shown: on a terminal, in Markdown, in HTML.

Names of strategies, notes, reasons of a kill, refusals of a venue, texts of errors and names of
files are written by somebody else. A terminal obeys control characters in them (ESC, OSC), a line
break makes a line that nobody printed, bidirectional controls show a text in another order than it
has, and a page takes them for markup. Whoever shows such words uses one of the functions here, and
no other.

Characters that are obeyed and not seen are spelled out as `\\u001b`: in JSON that is the same
character still. All else stays as it was written.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

_UNSEEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but TAB and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u200b-\u200d\u2060-\u2065\ufeff\ufff9-\ufffb"  # of no width
    "\u2028\u2029"  # other line breaks
    "\ud800-\udfff"  # halves of characters: no stream can write them
    "\U000e0000-\U000e007f"  # tags
)
_UNSEEN_RE: Final = re.compile(f"[{_UNSEEN}]")
_UNSEEN_OR_BREAK_RE: Final = re.compile(f"[\t\n{_UNSEEN}]")

_MARKUP_RE: Final = re.compile(
    r"[\\|`*\[\]~]"  # code, emphasis, links, images, strikes, cells
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # within a word it is no emphasis
    r"|(?<=:)/(?=/)|(?<=www)\.|@"  # bare addresses become links
)


def plain(text: object) -> str:
    """`text` on one line of a terminal: whatever would be obeyed is spelled out."""
    return _UNSEEN_OR_BREAK_RE.sub(_spelled, str(text))


def lines(text: str) -> str:
    """`text` of several lines for a terminal: TAB and line feed stay, the rest as in `plain`."""
    return _UNSEEN_RE.sub(_spelled, text)


def markdown(text: object) -> str:
    """`text` within a line of Markdown (not at its beginning) or a cell: it reads as written."""
    flat = escape(plain(str(text).replace("\n", " ")), quote=False)
    return _MARKUP_RE.sub(lambda match: f"\\{match[0]}", flat)


def html(text: object) -> str:
    """`text` in HTML, as content or between the quotes of an attribute."""
    return escape(plain(str(text).replace("\n", " ")))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


class ShownStream:
    """A text stream through which nothing passes that a terminal would obey.

    A carriage return at the beginning of what is written stays: progress bars begin so.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`, with what would be obeyed spelled out."""
        first = "\r" if text.startswith("\r") else ""
        return int(self._stream.write(first + lines(text[len(first) :])))

    def writelines(self, texts: Any) -> None:
        """Write each of `texts`."""
        for text in texts:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def shown_output() -> Iterator[None]:
    """While this lasts, standard output and standard error are shown streams."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = ShownStream(before[0]), ShownStream(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before

"""The shared files of pages, and the rules by which a page is put together.

A page has no text of strangers in its markup. What a session wrote goes into one block of JSON,
which no word in it can leave (`as_json`), and scripts show it as text. What runs and what paints is
named by its hash in the page's own policy (`content_policy`), so nothing else does, whatever got
into the page. Nothing is loaded from anywhere.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final

import msgspec

SHARED_CSS: Final = "shared.css"
"""Colours as CSS variables, light and dark; type, tiles, tables, badges."""
CHARTS_JS: Final = "charts.js"
"""Charts in these colours over uPlot, and how figures and times are written."""
UPLOT_JS: Final = "vendor/uPlot.iife.min.js"
UPLOT_CSS: Final = "vendor/uPlot.min.css"
UPLOT_LICENSE: Final = "vendor/uPlot.LICENSE"

_NONE: Final = "'none'"
_ESCAPED: Final = {
    ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029\u0085\ufeff"
}

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{styles}
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
{scripts}
</body>
</html>
"""


@cache
def text(name: str, package: str = "logos.pages") -> str:
    """A file that is installed with `package`, such as `SHARED_CSS`. Raises OSError."""
    return resources.files(package).joinpath(*name.split("/")).read_text(encoding="utf-8")


def uplot() -> str:
    """The script of uPlot with its licence, which goes wherever a page of one file goes."""
    return f"/*\n{text(UPLOT_LICENSE)}*/\n{text(UPLOT_JS)}"


def as_json(data: Any) -> str:
    """`data` as JSON that can stand in a script element: no markup can begin or end within it.

    Floats that JSON has no word for (NaN, infinity) become null. Raises TypeError for what is no
    plain data.
    """
    return msgspec.json.encode(data).decode("utf-8", "replace").translate(_ESCAPED)


def source_hash(content: str) -> str:
    """The source expression of a content security policy that allows exactly this content."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode('ascii')}'"


def content_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """The policy of a page that is one file: these scripts and styles, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(source_hash, scripts)) or _NONE}",
            f"style-src {' '.join(map(source_hash, styles)) or _NONE}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def whole_page(
    title: str, body: str, data: Any, *, styles: Sequence[str], scripts: Sequence[str]
) -> str:
    """A page that is one file, HTML. `title` and `body` are markup of our own."""
    return _PAGE.format(
        policy=content_policy(scripts, styles),
        title=title,
        styles="\n".join(f"<style>{each}</style>" for each in styles),
        body=body,
        data=as_json(data),
        scripts="\n".join(f"<script>{each}</script>" for each in scripts),
    )

"""What pages share: nothing a stranger wrote can leave its block, and only named code runs."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import msgspec
import pytest

from logos.pages import assets
from logos.pages.markup import Markup, joined, tag


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!-- <script>",
        "]]> & &lt;",
        "line\u2028break\u2029",
        "quote \" and \\ and '",
        "",
    ],
)
def test_no_text_leaves_its_block_of_json(text: str) -> None:
    made = assets.as_json({"name": text, text: [1]})
    assert not set("<>&\u2028\u2029") & set(made)
    assert msgspec.json.decode(made) == {"name": text, text: [1]}


def test_figures_that_json_has_no_word_for_are_null() -> None:
    assert assets.as_json([float("nan"), float("inf"), 0.5]) == "[null,null,0.5]"


def test_the_policy_allows_what_it_was_given_and_nothing_else() -> None:
    policy = assets.content_policy(["run()"], ["p{}", "q{}"])
    digest = b64encode(sha256(b"run()").digest()).decode()
    assert f"script-src 'sha256-{digest}'; " in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.count("sha256-") == 3
    assert "unsafe" not in policy
    assert "script-src 'none'; style-src 'none'" in assets.content_policy([], [])


@pytest.mark.parametrize(
    "name",
    [
        *(assets.SHARED_CSS, assets.CHARTS_JS, assets.UPLOT_JS, assets.UPLOT_CSS),
        assets.UPLOT_LICENSE,
    ],
)
def test_every_shared_file_is_there_and_fits_into_an_element(name: str) -> None:
    text = assets.text(name)
    assert text.strip()
    assert not re.search(r"</(script|style)|<!--", text, re.I)
    assert "http" not in re.sub(r"https://github.com/leeoniya/uPlot", "", text)


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def themes() -> dict[str, dict[str, str]]:
    css = assets.text(assets.SHARED_CSS)
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    assert len(blocks) == 3
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), found, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_text_has_enough_contrast(theme: str) -> None:
    colours = themes()[theme]
    grounds = ("page", "card", "sunk")
    series = [name for name in colours if name.startswith("series-")]
    pairs = [
        (ink, ground) for ink in ("ink", "soft", "gain", "loss", *series) for ground in grounds
    ]
    pairs += [("gain", "gain-wash"), ("loss", "loss-wash"), ("warn", "warn-wash")]
    poor = {
        f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2)
        for ink, ground in pairs
        if contrast(colours[ink], colours[ground]) < 4.5
    }
    assert poor == {}


def test_text_in_markup_is_escaped_and_attributes_too() -> None:
    hostile = "\"><script>alert('1')</script>\u202e\u2028"
    made = tag("td", hostile, title=hostile, class_="number", data_row=3, hidden=True, id=None)
    assert made.startswith('<td title="')
    assert ' class="number" data-row="3" hidden>' in made
    assert "<script" not in made
    assert "\u202e" not in made
    assert made.count("<") == 2
    assert made.count('"') == 6


def test_markup_stays_and_nothing_is_nothing() -> None:
    assert tag("p", tag("b", "a & b"), None, 7, "<") == "<p><b>a &amp; b</b>7&lt;</p>"
    assert tag("rect", x=1) == '<rect x="1"/>'
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert isinstance(joined("<", tag("b", "x")), Markup)

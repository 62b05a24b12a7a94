"""What strangers wrote is shown as text: no terminal obeys it, and it is no markup."""

from __future__ import annotations

import ast
import io
import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from import_graph import SOURCE
from journal_helpers import BarByBar, bars

from logos import session
from logos.cli.main import main
from logos.core.gates import InProcessSwitch
from logos.core.strategy import Answer, Context, Strategy
from logos.shown import ShownStream, html, lines, markdown, plain

HOSTILE = {
    "escape": "\x1b[2J\x1b[31mENGAGED",
    "osc": "\x1b]0;title\x07",
    "osc link": "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b31m",
    "carriage return": "all is lost\rall is well",
    "backspace": "no\b\bok",
    "bidi": "\u202egnp.exe\u2066",
    "no width": "ad\u200bmin\ufeff",
    "line separator": "one\u2028two",
    "surrogate": "\udcff",
    "tag": "\U000e0041",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for shown in (plain(text), lines(text), markdown(text), html(text)):
        assert shown.isprintable()
        assert shown.encode("utf-8")


def test_a_line_break_makes_no_line_that_nobody_printed() -> None:
    assert (
        plain("lost\nsession one: BLOCKED, DRAINED") == "lost\\u000asession one: BLOCKED, DRAINED"
    )
    assert lines("two\n\tlines") == "two\n\tlines"
    assert "\n" not in markdown("a\nb") + html("a\nb")


def test_what_is_spelled_out_is_the_same_json() -> None:
    for text in HOSTILE.values():
        written = json.dumps({"reason": text}, ensure_ascii=False)
        assert json.loads(plain(written)) == {"reason": text}


@pytest.mark.parametrize(
    "text",
    [
        "max_order_notional",
        "BTC/USDT",
        "ACME: 5 of 7 (a note)",
        "-1.50",
        "Zoë's 戦略 😀",
        "a-b.c:D",
    ],
)
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert plain(text) == lines(text) == markdown(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("**SAFE**", "\\*\\*SAFE\\*\\*"),
        ("_SAFE_", "\\_SAFE\\_"),
        ("a | b", "a \\| b"),
        ("`code`", "\\`code\\`"),
        ("![x](http://evil/x.png)", "!\\[x\\](http:\\//evil/x.png)"),
        ("www.evil.com", "www\\.evil.com"),
        ("me@evil.com", "me\\@evil.com"),
        ("&lt;", "&amp;lt;"),
        ("\\|", "\\\\\\|"),
        ("~~gone~~", "\\~\\~gone\\~\\~"),
    ],
)
def test_markup_in_words_stays_text(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_html_of_hostile_words_has_no_tag_and_no_end_of_an_attribute() -> None:
    tags: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            tags.append(tag)

    text = "\"><img src=x onerror=alert(1)><script>'"
    parser = Parser()
    parser.feed(f'<p title="{html(text)}">{html(text)}</p>')
    assert tags == ["p"]


def test_a_stream_keeps_the_carriage_return_of_a_progress_bar_and_no_other() -> None:
    target = io.StringIO()
    stream = ShownStream(target)
    stream.write("\r 10%")
    stream.writelines(["a\rb", "\x1b[1m\n"])
    assert target.getvalue() == "\r 10%a\\u000db\\u001b[1m\n"
    assert not stream.isatty()


class Hostile(Strategy):
    """Fails with words that want to be obeyed."""

    def on_bar(self, context: Context, bar: Any) -> Answer:
        raise RuntimeError("<script>x</script> \x1b[31m **SAFE** \u202e | [a](http://evil)")


def test_session_md_shows_a_strangers_reason_as_text(tmp_path: Path) -> None:
    result = session.run(
        {"instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}}},
        strategy=Hostile(), feed=BarByBar(bars(2)), switch=InProcessSwitch(), home=tmp_path,
    )  # fmt: skip
    page = (result.folder / "session.md").read_text(encoding="utf-8")
    assert "&lt;script&gt;x&lt;/script&gt; \\\\u001b\\[31m \\*\\*SAFE\\*\\* \\\\u202e \\|" in page
    for wrong in ("<script", "\x1b", "**SAFE", "\u202e", "[a]("):
        assert wrong not in page


def test_what_the_command_line_prints_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    before = sys.stdout
    assert main(["verify", "\x1b[31mno\u202e"]) != 0
    printed = "".join(capsys.readouterr())
    assert "no" in printed
    assert "\x1b" not in printed + "\n"
    assert "\u202e" not in printed
    assert sys.stdout is before


@pytest.mark.long
def test_nobody_else_escapes_cells_or_html() -> None:
    """Two ways to make words harmless are two chances to forget one."""
    found = []
    for path in SOURCE.rglob("*.py"):
        if path.name == "shown.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_html = isinstance(node, ast.ImportFrom) and node.module == "html"
            is_cell = isinstance(node, ast.Constant) and node.value == "\\|"
            if is_html or is_cell:
                found.append(path.name)
    assert found == []

"""docs/TROUBLESHOOTING.md has every code, exit code, warning and error that a user can meet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest
from doc_commands import parse
from places import PROJECT

from logos.cli.exit_codes import SESSION_CODES
from logos.cli.run_command import _NOTICES
from logos.config.template import default_toml
from logos.core.types import Code
from logos.errors import LogosError
from logos.session.artifacts.cures import CURES

TEXT = (PROJECT / "docs" / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.M | re.S)
CODE_SPANS = re.findall(r"`([^`\n]+)`", PROSE)


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        import make_troubleshooting  # type: ignore[import-not-found,unused-ignore]

        yield make_troubleshooting


def rows(heading: str) -> list[list[str]]:
    """The cells of every row of the tables in the section with this heading."""
    section = re.split(rf"^##+ {re.escape(heading)}$", TEXT, flags=re.M)[1]
    section = re.split(r"^##+ ", section, flags=re.M)[0]
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in section.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    return cells[1:]


@pytest.mark.long
def test_the_tables_are_what_the_code_gives_now(maker: ModuleType) -> None:
    assert maker.with_tables(TEXT) == TEXT, "run python tools/make_troubleshooting.py"
    assert sorted(re.findall(r"^<!-- held: (.+) -->$", TEXT, re.M)) == sorted(maker.TABLES)


def test_nothing_is_left_unexplained() -> None:
    tables = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(tables) > 200
    unwritten = [line for line in tables if "?" in [cell.strip() for cell in line.split("|")]]
    assert not unwritten, "write what it means, and what to do"
    required = [line for line in tables if re.search(r"\|\s*\|\s*$", line)]
    assert not required


def test_a_code_that_is_new_or_was_lost_becomes_a_row_that_must_be_written(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "TABLES", {"refusals": maker.refusals})
    one = "<!-- held: refusals -->\n| code | means | do |\n|---|---|---|\n"
    made = maker.with_tables(one + "| `STALE_DATA` | old | another cure |\n| `GONE` | x | y |\n")
    assert f"| `STALE_DATA` | old | {maker.plain(CURES[Code.STALE_DATA])} |" in made
    assert "| `MAX_POSITION` | ? | hold less" in made
    assert "GONE" not in made


def test_every_code_stands_with_its_meaning_and_cure() -> None:
    named = rows("Why something was refused") + rows("Why an order ended without its fill")
    assert [code.strip("`") for code, _, _ in named] == [code.value for code in Code]
    assert all(len(meaning) > 10 and len(cure) > 10 for _, meaning, cure in named)


def test_every_exit_code_of_every_command_stands(maker: ModuleType) -> None:
    sessions, others = rows("By exit code")[: len(SESSION_CODES)], rows("By exit code")
    assert [int(code) for code, _, _ in sessions] == list(SESSION_CODES)
    shown = {row[0].strip("`"): row[1] for row in others if len(row) == 2}
    commands = maker.exits_by_command()
    assert len(commands) >= 20
    for command, codes in commands.items():
        if command not in shown:
            assert codes == SESSION_CODES, command
            continue
        assert [int(each) for each in re.findall(r"(?:^|; )(\d+): ", shown[command])] == list(codes)


@pytest.mark.long
def test_the_codes_of_warnings_are_found_where_warnings_are_made(maker: ModuleType) -> None:
    codes = maker.warning_codes()
    assert set(_NOTICES) <= codes
    assert {"PRICE_DOUBTED", "TARGET_PENDING", "REJECTED", "UNUSED_SIGNALS", "NO_EVENTS"} <= codes
    unclear = ast.parse("order_manager.warn(symbol, chosen(), words)")
    [call] = [node for node in ast.walk(unclear) if maker._code_argument(node) is not None]
    with pytest.raises(ValueError, match="cannot be read"):
        maker._values(maker._code_argument(call), unclear, "x.py:1")


@pytest.mark.long
def test_every_error_is_in_a_family_of_the_page_or_never_leaves_its_place(
    maker: ModuleType,
) -> None:
    named = {cell.strip("`") for row in rows("By error class") for cell in row[:1]}
    bases = {maker.family_of(kind).__name__ for kind in maker.error_classes()}
    assert bases - {LogosError.__name__} == named | maker.INSIDE
    assert not named & maker.INSIDE


# ---- what the page quotes is what is printed ----


@cache
def sayings() -> dict[str, str]:
    """The text constants of each source file, one after the other."""
    found = {}
    for path in (PROJECT / "src" / "logos").rglob("*.py"):
        constants = [
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found[path.name + str(path)] = "\n".join(constants)
    return found


@pytest.mark.long
@pytest.mark.parametrize("message", [row[0].split("`")[1] for row in rows("By message")])
def test_a_message_is_one_that_logos_prints(message: str) -> None:
    pieces = [piece.strip() for piece in message.split("...") if len(piece.strip()) > 3]
    assert pieces
    assert any(all(piece in text for piece in pieces) for text in sayings().values()), pieces


@pytest.mark.parametrize("command", sorted({span for span in CODE_SPANS if span[:6] == "logos "}))
def test_a_command_that_the_page_names_exists(command: str) -> None:
    if "..." not in command and "COMMAND" not in command:
        problem = parse(command)
        assert "required" in problem or not problem, problem


def test_the_settings_that_the_page_names_exist() -> None:
    settings = default_toml()
    named = {
        span
        for span in CODE_SPANS
        if re.fullmatch(r"(live|switch|account|session|venue|paper|orders|data)\.[a-z_]+", span)
        and not span.endswith((".csv", ".md"))
    }
    assert len(named) > 8
    for key in named:
        table, _, name = key.partition(".")
        body = settings.split(f"[{table}]\n")[1].split("\n[")[0]
        assert re.search(rf"^#? ?{name} ?=", body, re.M), key

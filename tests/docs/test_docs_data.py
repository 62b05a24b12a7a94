"""docs/DATA.md names every layout, defect, format and option; its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from places import PROJECT

from logos.cli.main import main
from logos.data.defects import ACCEPTABLE_KINDS, KEEPING_KINDS, KINDS
from logos.data.fixtures import fixture_names
from logos.data.importing.layouts import FORMATS
from logos.data.layout import EXTENSIONS, INTERVAL_TOKENS_NS, LAYOUTS

TEXT = (PROJECT / "docs" / "DATA.md").read_text(encoding="utf-8")

INSTRUMENT = '[instruments.COIN]\ntick = "0.01"\nlot = "1"\nbase = "COIN"\nquote = "USD"\n'
KLINES = """\
1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724000,1704067259999,1519032.65,1327,23.18,980122.2,0
1704067260000,42298.62,42320.00,42298.61,42320.00,21.16779000,1704067319999,895580.22,1348,13.02,551022.3,0
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the document's examples are about."""
    [bad] = re.findall(r"```csv\n(.*?)```", TEXT, re.S)
    for folder in ("bad", "downloads", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bad" / "COIN_1m_x.csv").write_text(bad, encoding="utf-8")
    (tmp_path / "bad" / "instruments.toml").write_text(INSTRUMENT, encoding="utf-8")
    (tmp_path / "downloads" / "BTCUSDT-1m-2024-01-01.csv").write_text(KLINES, encoding="utf-8")
    (tmp_path / "data" / "cache").symlink_to(PROJECT / "data" / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _shown() -> list[tuple[str, str]]:
    """Every command that the document shows, with what it prints."""
    blocks = re.findall(r"```\n(\$ .*?)```", TEXT, re.S)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.M) if part]
    return [(head, output) for head, _, output in (part.partition("\n") for part in parts)]


def test_the_commands_print_what_is_shown(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _shown()
    assert len(commands) == 5
    for command, shown in commands:
        program, *arguments = shlex.split(command)
        if program == "cat":
            printed = (workspace / arguments[0]).read_text(encoding="utf-8")
        else:
            assert program == "logos"
            main(arguments)
            printed = capsys.readouterr().out
        # What a repair prints is for the eye; its file is compared instead.
        if "--repair" not in arguments:
            assert printed.strip() == shown.strip()


def test_every_layout_stands_with_its_columns() -> None:
    for kind, layout in LAYOUTS.items():
        [row] = re.findall(rf"^\| {kind} \| (.*) \| `\w+` \|$", TEXT, re.M)
        required, _, optional = row.partition("[")
        assert tuple(re.findall(r"`(\w+)`", required)) == layout.required
        assert tuple(re.findall(r"`(\w+)`", optional)) == (*layout.sizes, *layout.sides)


def test_every_kind_of_defect_stands_in_its_order_with_what_accepting_it_means() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", TEXT, re.M)
    meaning = dict(row for row in rows if row[0] in KINDS)
    assert list(meaning) == list(KINDS)
    assert {kind for kind in KINDS if meaning[kind] != "cannot be accepted"} == ACCEPTABLE_KINDS
    dropped = {kind for kind in KINDS if meaning[kind].endswith("is dropped")}
    assert not dropped & KEEPING_KINDS
    assert all(meaning[kind].startswith("kept") for kind in KEEPING_KINDS)


def test_every_format_and_option_of_the_import_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \| [^|]+ \| [^|]*\|$", TEXT, re.M)) >= set(FORMATS)
    with pytest.raises(SystemExit):
        main(["data", "import", "--help"])
    options = set(re.findall(r"(--[a-z-]+)", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)` \|", TEXT, re.M))


def test_every_file_of_the_bundle_extension_and_interval_stands() -> None:
    for word in (*fixture_names(), *EXTENSIONS, *INTERVAL_TOKENS_NS):
        assert f"`{word}`" in TEXT

"""docs/DATA.md names every layout, defect, format and option; its commands print what it shows."""

from __future__ import annotations

import re

import pytest
from places import PROJECT

from logos.cli.main import main
from logos.data.defects import ACCEPTABLE_KINDS, KEEPING_KINDS, KINDS, SAID_KINDS
from logos.data.fixtures import fixture_names
from logos.data.layout import EXTENSIONS, INTERVAL_TOKENS_NS, LAYOUTS

TEXT = (PROJECT / "docs" / "DATA.md").read_text(encoding="utf-8")


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
    never = {kind for kind in KINDS if meaning[kind] == "cannot be accepted"}
    assert never == set(KINDS) - ACCEPTABLE_KINDS - SAID_KINDS
    dropped = {kind for kind in KINDS if meaning[kind].endswith("is dropped")}
    assert not dropped & KEEPING_KINDS
    assert all(meaning[kind].startswith("kept") for kind in KEEPING_KINDS)


def test_every_option_of_the_import_stands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "import", "--help"])
    options = set(re.findall(r"(--[a-z-]+)", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)` \|", TEXT, re.M))


def test_every_file_of_the_bundle_extension_and_interval_stands() -> None:
    for word in (*fixture_names(), *EXTENSIONS, *INTERVAL_TOKENS_NS):
        assert f"`{word}`" in TEXT

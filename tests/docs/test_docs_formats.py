"""docs/DATA.md lists every format that the importer knows, as the importer's records have it."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from places import PROJECT

from logos.data.importing.formats import LAYOUTS

TEXT = (PROJECT / "docs" / "DATA.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        import make_formats  # type: ignore[import-not-found,unused-ignore]

        yield make_formats


def test_the_table_is_what_the_records_give_now(maker: ModuleType) -> None:
    assert maker.with_table(TEXT) == TEXT, "run python tools/make_formats.py"
    for layout in LAYOUTS:
        assert f"| {maker.short_title(layout)} | `{layout.name}` |" in TEXT


def test_every_record_says_where_its_form_is_documented_or_was_seen() -> None:
    for layout in LAYOUTS:
        assert "https://" in layout.source, layout.title
        assert layout.refused or layout.columns or layout.roles or layout.name == "yfinance"

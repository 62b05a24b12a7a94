"""What a notebook shows of a result: a safe fragment, a drawing, frames; and never an error."""

from __future__ import annotations

import os
import re
import shutil
from base64 import b64decode
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import polars
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library_helpers import CASH, WORDS, Crossing, frame
from places import CACHE

import logos
from logos.library import result
from logos.library.views import picture
from logos.library.views.picture import Chart
from logos.pages.curves import thinned

HOSTILE = "<script>alert(1)</script>\"'&\u202e"


class Hostile(Crossing):
    """A strategy whose name is markup."""

    name = HOSTILE


Hostile.__qualname__ = Hostile.__name__ = HOSTILE


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> logos.Result:
    return logos.run(
        Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path_factory.mktemp("home")
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> logos.Result:
    data = logos.bars(frame().head(100), **WORDS)
    return logos.run(Hostile(20), data=data, cash=CASH, home=tmp_path_factory.mktemp("hostile"))


def svg_of(fragment: str) -> str:
    (picture_,) = re.findall(r'src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"', fragment)
    return b64decode(picture_).decode()


def tags(fragment: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of the fragment with its attributes; all must be closed."""
    found: list[tuple[str, dict[str, str | None]]] = []
    opened: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))
            if tag != "img":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Parser().feed(fragment)
    assert opened == []
    return found


# ---- what a notebook shows ----


def test_the_fragment_has_the_figures_of_the_analysis(shown: logos.Result) -> None:
    text = shown._repr_html_()
    of = shown.analysis.statistics
    assert f"{of.net:+,.2f}<" in text
    assert f"{of.trips.trips:,}" in text
    assert shown.session_id in text
    assert len(text) < 60_000


def test_the_fragment_is_of_harmless_elements_only(hostile: logos.Result) -> None:
    text = hostile._repr_html_()
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    for tag, attributes in tags(text):
        assert tag in ("div", "b", "img")
        assert attributes.keys() <= {"style", "alt", "src"}
        assert (attributes.get("src") or "data:image/svg").startswith("data:image/svg")
        assert "url(" not in (attributes.get("style") or "")


def test_a_drawing_is_well_formed_and_holds_no_words_as_markup(hostile: logos.Result) -> None:
    root = ElementTree.fromstring(hostile.plot().svg)
    names = {each.tag.removeprefix("{http://www.w3.org/2000/svg}") for each in root.iter()}
    assert names == {"svg", "title", "style", "rect", "line", "path", "text"}
    words = "".join(root.itertext())
    assert "<script>alert(1)</script>" in words
    assert svg_of(hostile._repr_html_()) == hostile.plot().svg


def test_a_folder_that_is_gone_is_shown_as_text(tmp_path: Path) -> None:
    data = logos.bars(frame().head(100), **WORDS)
    gone = logos.run(Crossing(20), data=data, cash=CASH, home=tmp_path / "home")
    shutil.rmtree(tmp_path / "home")
    text = gone._repr_html_()
    assert text.startswith("<pre>&lt;logos session session-0001 ENDED")
    assert tags(text)[0][0] == "pre"
    with pytest.raises(logos.LogosError):
        gone.plot()


def test_a_session_without_events_is_shown_too(tmp_path: Path) -> None:
    data = logos.bars(frame().head(5), **WORDS)
    idle = logos.run(Crossing(20), data=data, cash=CASH, home=tmp_path / "home")
    assert "–" in idle._repr_html_()
    assert ElementTree.fromstring(idle.plot().svg) is not None


# ---- the drawing ----


def test_the_drawing_shows_the_whole_curve(shown: logos.Result) -> None:
    svg = shown.plot().svg
    (d,) = re.findall(r'class="logos-equity" d="M([^"]+)"', svg)
    points = [tuple(map(float, each.split())) for each in d.split(" L")]
    xs = [x for x, _ in points]
    assert xs == sorted(xs)
    assert (xs[0], xs[-1]) == (picture._LEFT, picture.WIDTH - picture._RIGHT)
    equity = shown.analysis.equity
    times = equity.time_ns
    top = times[equity.equity.index(max(equity.equity))]
    share = (top - times[0]) / (times[-1] - times[0])
    highest = min(points, key=lambda point: point[1])
    wide = picture.WIDTH - picture._LEFT - picture._RIGHT
    assert highest[0] == pytest.approx(picture._LEFT + share * wide, abs=0.1)
    assert repr(shown.plot()).startswith("<logos chart of session-0001: library_helpers:Crossing")


def test_a_book_is_chosen_by_its_name(shown: logos.Result) -> None:
    assert shown.plot("USD").svg == shown.plot().svg
    with pytest.raises(logos.LogosError, match="no book 'EUR': there are USD"):
        shown.plot("EUR")


@pytest.mark.parametrize("name", ["chart.svg", "chart.html"])
def test_a_drawing_is_saved_by_the_ending_of_its_name(
    name: str, shown: logos.Result, tmp_path: Path
) -> None:
    place = shown.plot().save(tmp_path / name)
    assert shown.plot().svg in place.read_text(encoding="utf-8")
    with pytest.raises(logos.LogosError, match=r"as \.svg or \.html"):
        shown.plot().save(tmp_path / "chart.png")
    with pytest.raises(logos.LogosError, match="cannot be written: No such file"):
        shown.plot().save(tmp_path / "no" / name)


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_within(low: float, share: float) -> None:
    span = (abs(low) + 1) * share
    ticks = list(picture._ticks(low, low + span))
    assert len(ticks) <= 7
    assert all(low <= value <= low + span for value, _ in ticks)


@pytest.mark.long
@given(st.integers(0, 4 * 10**9), st.integers(1, 2 * 10**9))
@example(0, 252_288_000)
def test_moments_are_few_and_within(low: int, span: int) -> None:
    moments = list(picture._moments(low, low + span))
    assert len(moments) <= 8
    assert all(low <= second <= low + span for second, _ in moments)
    assert len({label for _, label in moments}) == len(moments)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=3_000))
def test_a_thinned_curve_keeps_its_ends_and_extremes(ys: list[float]) -> None:
    xs, thin = thinned(range(len(ys)), ys, 50)
    assert len(xs) <= 50
    assert xs == sorted(set(xs))
    assert (thin[0], thin[-1]) == (ys[0], ys[-1])
    assert (min(thin), max(thin)) == (min(ys), max(ys))
    assert all(ys[x] == y for x, y in zip(xs, thin, strict=True))


# ---- the report ----


def test_the_report_is_made_once_and_again_when_the_session_went_on(shown: logos.Result) -> None:
    page = shown.report()
    assert page == shown.folder / "report.html"
    assert page.read_text(encoding="utf-8").startswith("<!")
    made = page.stat().st_ino
    assert shown.report().stat().st_ino == made
    os.utime(page, ns=(0, 0))
    assert shown.report().stat().st_ino != made


def test_damaged_tables_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    data = logos.bars(frame().head(100), **WORDS)
    odd = logos.run(Crossing(20), data=data, cash=CASH, home=tmp_path / "home")
    (odd.folder / "account.csv").write_text("time,currency\n1\n")
    for ask in (odd.report, odd.plot):
        with pytest.raises(logos.LogosError, match=r"account\.csv is damaged: "):
            ask()
    assert odd._repr_html_().startswith("<pre>")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orders", ""),
        ("orders", "order_id,symbol\n1\n"),
        ("orders", "order_id,symbol\none,ACME\n"),
        ("equity", "time,equity\n,many\n"),
        ("equity", "time,equity\n,\xff\n"),
    ],
)
def test_records_of_a_damaged_table_are_an_error_that_names_it(
    name: str, text: str, tmp_path: Path
) -> None:
    data = logos.bars(frame().head(30), **WORDS)
    odd = logos.run(Crossing(20), data=data, cash=CASH, home=tmp_path / "home")
    (odd.folder / f"{name}.csv").write_text(text, encoding="latin-1")
    with pytest.raises(logos.LogosError, match=rf"{name}\.csv is damaged: "):
        odd.records(name)


def test_without_a_table_of_round_trips_it_is_said_where_they_are(tmp_path: Path) -> None:
    data = logos.bars(frame().head(30), **WORDS)
    old = logos.run(Crossing(20), data=data, cash=CASH, home=tmp_path / "home")
    (old.folder / "trips.csv").unlink()
    with pytest.raises(logos.LogosError, match=r"trips\.csv is not there.*`\.analysis`"):
        assert old.trips


# ---- frames ----


def test_round_trips_are_a_frame_whose_nets_are_the_books(shown: logos.Result) -> None:
    trips = shown.trips
    assert list(trips["trip"]) == list(range(1, len(trips) + 1))
    assert str(trips["entry_time"].dtype) == "datetime64[ns, UTC]"
    assert trips["entry_order_id"].dtype == "int64"
    exact = sum((row["net"] for row in shown.records("trips")), Decimal(0))
    assert exact == shown.analysis.statistics.trips.net


def test_the_curve_is_a_frame_with_the_deepest_fall(shown: logos.Result) -> None:
    curve = shown.curve
    assert curve["drawdown"].max() == float(shown.analysis.statistics.max_drawdown)
    assert set(curve["book"]) == {"USD"}


def test_the_figures_are_a_frame_with_a_column_for_each_book(shown: logos.Result) -> None:
    stats = shown.stats
    assert list(stats.columns) == ["figure", "USD"]
    values = dict(zip(stats["figure"], stats["USD"], strict=True))
    of = shown.analysis.statistics
    assert values["net"] == float(of.net)
    assert values["sharpe"] == of.sharpe
    assert values["trips.win_rate"] == of.trips.win_rate
    assert values["long.trips"] == of.long.trips
    assert pd.isna(values["drawdown_recovered_ns"]) == (of.drawdown_recovered_ns is None)


def test_without_a_library_of_frames_there_are_records(
    shown: logos.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(result, "import_module", absent)
    fresh = logos.result(shown.session_id, home=shown.home)
    assert isinstance(fresh.trips, list)
    assert fresh.stats[0].keys() == {"figure", "USD"}


def test_polars_has_the_same_figures(shown: logos.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_polars(name: str) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return polars

    monkeypatch.setattr(result, "import_module", only_polars)
    fresh = logos.result(shown.session_id, home=shown.home)
    assert fresh.stats.shape == shown.stats.shape
    assert fresh.trips["net"].sum() == pytest.approx(shown.trips["net"].sum())


def test_a_chart_of_the_analysis_is_what_plot_gives(shown: logos.Result) -> None:
    assert isinstance(shown.plot(), Chart)
    assert shown.plot()._repr_svg_() == shown.plot().svg

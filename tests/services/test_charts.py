"""The charts that pages share, in a browser: drawn, zoomed by keys, quick with many bars."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Watched, browser_page

from logos.pages import assets

pytestmark = pytest.mark.campaign

BARS = 60_000
SCRIPT = f"""
const count = {BARS};
const bars = {{ x: [], open: [], high: [], low: [], close: [] }};
for (let i = 0; i < count; i++) {{
  const middle = 100 + 10 * Math.sin(i / 3000);
  bars.x.push(1700000000 + 60 * i);
  bars.open.push(middle); bars.close.push(middle + 0.1);
  bars.high.push(i === 31234 ? 500 : middle + 0.3); bars.low.push(middle - 0.3);
}}
const host = document.getElementById("chart");
const began = performance.now();
const chart = Charts.line(host, {{
  label: "Price of ACME", x: bars.x, height: 300,
  series: Charts.barSeries(bars),
  draw: (u) => {{
    Charts.drawBars(u, bars);
    Charts.drawMarks(u, [{{ x: bars.x[5], y: 100, shape: "up", colour: "gain" }}]);
  }},
  onWindow: (isWhole, low, high) => {{
    document.getElementById("window").textContent = isWhole ? "whole" : `${{(high - low) / 60}}`;
  }},
}});
document.getElementById("said").textContent =
  [Charts.number(-1234.5), Charts.number(-0.001), Charts.percent(0.1234), Charts.number(null),
   Charts.time(0)].join("|");
const highest = () => chart.plot.scales.y.max;
requestAnimationFrame(() => requestAnimationFrame(() => {{
  document.getElementById("drawn").textContent = `${{Math.round(highest())}}`;
}}));
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    scripts = [assets.text(assets.UPLOT_JS), assets.text(assets.CHARTS_JS), SCRIPT]
    styles = [assets.text(assets.UPLOT_CSS), assets.text(assets.SHARED_CSS)]
    policy = assets.content_policy(scripts, styles)
    page = tmp_path_factory.mktemp("charts") / "charts.html"
    page.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Charts</title>'
        + "".join(f"<style>{each}</style>" for each in styles)
        + '</head><body><main class="page"><h1>Charts</h1><div class="card"><div id="chart"></div>'
        '</div><p id="said"></p><p id="drawn"></p><p id="window"></p></main>'
        + "".join(f"<script>{each}</script>" for each in scripts)
        + "</body></html>",
        encoding="utf-8",
    )
    with browser_page() as found:
        found.open(page)
        yield found


def test_figures_and_times_are_written_in_one_way(watched: Watched) -> None:
    assert watched.page.text_content("#said") == ("−1,234.50|0.00|12.34 %|–|1970-01-01 00:00:00")


def test_no_extreme_is_lost_among_many_bars(watched: Watched) -> None:
    assert int(watched.shows("#drawn", str.isdigit)) > 500


def test_keys_zoom_and_show_all_again(watched: Watched) -> None:
    watched.page.focus("#chart")
    watched.page.keyboard.press("+")
    assert float(watched.shows("#window", lambda text: bool(text))) == pytest.approx(
        0.6 * BARS, 1e-3
    )
    watched.page.keyboard.press("0")
    watched.shows("#window", "whole")


def test_a_page_of_charts_can_be_read_by_all(watched: Watched) -> None:
    assert watched.accessibility() == []
    assert watched.fits()

"""Makes deploy/grafana/logos.json: the board of `logos metrics` for Grafana.

A board that is drawn by hand names metrics that are gone. Here it is a table of panels; a test
builds it again, and asks a real Prometheus that scraped a session each of its queries.

Run: python tools/make_board.py            writes the file
     python tools/make_board.py --check    says whether it is up to date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

BOARD: Final = Path(__file__).resolve().parent.parent / "deploy" / "grafana" / "logos.json"
PICKED: Final = 'workspace=~"$workspace",session=~"$session"'
"""What the board's variables choose of a session's metrics."""
HERE: Final = 'workspace=~"$workspace"'
RATE: Final = "$__rate_interval"


class Query(NamedTuple):
    """One expression, and what a series of it is called."""

    expression: str
    legend: str = "{{session}}"


class Panel(NamedTuple):
    """One picture. `unit` is Grafana's; `is_figure`: the last value in large, not a line."""

    title: str
    unit: str
    queries: Sequence[Query]
    words: str = ""
    width: int = 8
    is_figure: bool = False


def _of(name: str, *more: str) -> str:
    return f"{name}{{{','.join((PICKED, *more))}}}"


def _rate(name: str, *more: str) -> str:
    return f"rate({_of(name, *more)}[{RATE}])"


def _quantile(share: str, stage: str) -> str:
    rate = _rate("logos_latency_seconds_bucket", f'stage="{stage}"')
    return f"histogram_quantile({share}, sum by (session, le) ({rate}))"


def _mean(name: str, by: str) -> str:
    parts = [f"sum by (session, {by}) ({_rate(f'{name}_{end}')})" for end in ("sum", "count")]
    return " / ".join(parts)


BOARD_ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Now": (
        Panel(
            "Sessions by state",
            "none",
            [Query("logos_sessions", "{{state}}")],
            "dead: its process is gone without an end.",
            8,
            True,
        ),
        Panel(
            "Kill switch",
            "none",
            [Query(f"logos_switch_state{{{HERE}}} == 1", "{{workspace}} {{state}}")],
            "The state as the switch's files say it.",
            8,
            True,
        ),
        Panel("Heartbeat age", "s", [Query(_of("logos_heartbeat_age_seconds"))], "", 8, True),
    ),
    "Money": (
        Panel("Equity", "none", [Query(_of("logos_equity"), "{{session}} {{currency}}")]),
        Panel(
            "Profit by symbol",
            "none",
            [
                Query(_of("logos_realised_profit"), "{{session}} {{symbol}} realised"),
                Query(_of("logos_unrealised_profit"), "{{session}} {{symbol}} open"),
            ],
        ),
        Panel(
            "Drawdown",
            "none",
            [
                Query(_of("logos_drawdown"), "{{session}} {{currency}}"),
                Query(_of("logos_drawdown_peak"), "{{session}} {{currency}} deepest"),
            ],
        ),
        Panel(
            "Exposure",
            "none",
            [
                Query(_of("logos_gross_exposure"), "{{session}} {{currency}} gross"),
                Query(_of("logos_net_exposure"), "{{session}} {{currency}} net"),
            ],
        ),
        Panel("Position", "none", [Query(_of("logos_position"), "{{session}} {{symbol}}")]),
        Panel(
            "Used part of limits",
            "percentunit",
            [Query(_of("logos_guard_used_ratio"), "{{session}} {{code}} {{subject}}")],
            "At 100 % the guard refuses, or does what its action says.",
        ),
        Panel("Fees", "none", [Query(_of("logos_fees"), "{{session}} {{symbol}} {{currency}}")]),
        Panel("Profit of the day", "none", [Query(_of("logos_day_profit"))]),
        Panel("Mark", "none", [Query(_of("logos_mark_price"), "{{session}} {{symbol}}")]),
    ),
    "Trading": (
        Panel("Ticks", "cps", [Query(_rate("logos_ticks_total"))]),
        Panel(
            "Orders and fills",
            "cps",
            [
                Query(_rate("logos_orders_total"), "{{session}} {{symbol}} orders"),
                Query(_rate("logos_fills_total"), "{{session}} {{symbol}} fills"),
            ],
        ),
        Panel(
            "Refusals by code",
            "cps",
            [Query(_rate("logos_refusals_total"), "{{session}} {{code}}")],
        ),
        Panel("Open orders", "none", [Query(_of("logos_open_orders"))]),
        Panel(
            "Won trades",
            "percentunit",
            [
                Query(
                    f"{_of('logos_trades_won_total')} / ({_of('logos_trades_total')} > 0)",
                    "{{session}} {{symbol}}",
                )
            ],
        ),
        Panel("Differences to the venue", "none", [Query(_of("logos_venue_differences"))]),
    ),
    "Data and speed": (
        Panel(
            "From data to a decision",
            "s",
            [
                Query(_quantile("0.5", "feed to strategy"), "{{session}} p50"),
                Query(_quantile("0.99", "feed to strategy"), "{{session}} p99"),
                Query(_quantile("0.999", "feed to strategy"), "{{session}} p99.9"),
            ],
        ),
        Panel(
            "From data to an order",
            "s",
            [Query(_quantile("0.99", "feed to order"), "{{session}} p99")],
        ),
        Panel(
            "From an order to its answer",
            "s",
            [Query(_mean("logos_order_answer_seconds", "symbol"), "{{session}} {{symbol}}")],
        ),
        Panel("Age of the data", "s", [Query(_of("logos_feed_age_seconds"))]),
        Panel(
            "Feeds",
            "none",
            [Query(f"{_of('logos_feed_state')} == 1", "{{session}} {{feed}} {{state}}")],
        ),
        Panel(
            "Queued events",
            "none",
            [
                Query(_of("logos_inbox_events")),
                Query(_of("logos_inbox_events_peak"), "{{session}} peak"),
            ],
        ),
    ),
    "Machine": (
        Panel(
            "Written",
            "Bps",
            [
                Query(f"deriv({_of('logos_session_bytes')}[{RATE}])", "{{session}} all"),
                Query(f"deriv({_of('logos_journal_bytes')}[{RATE}])", "{{session}} journal"),
            ],
        ),
        Panel(
            "Waiting for the disk",
            "s",
            [Query(_mean("logos_fsync_seconds", "file"), "{{session}} {{file}}")],
        ),
        Panel(
            "Free disk",
            "bytes",
            [Query(f"logos_disk_free_bytes{{{HERE}}}", "{{workspace}}")],
        ),
        Panel(
            "Files that could not be read",
            "none",
            [Query("increase(logos_scrape_errors_total[5m])", "{{source}}")],
        ),
        Panel("Exporter", "s", [Query("logos_scrape_duration_seconds", "a page")]),
    ),
}
"""The panels, by the row that they stand in."""


def expressions() -> list[str]:
    """Every query of the board, with the board's variables in it."""
    return [
        query.expression
        for panels in BOARD_ROWS.values()
        for panel in panels
        for query in panel.queries
    ]


def board() -> str:
    """The board as Grafana imports it."""
    built = (
        dashboard.Dashboard("logos")
        .uid("logos")
        .description("Sessions of logos, as `logos metrics` serves them; docs/METRICS.md.")
        .tags(["logos", "trading"])
        .refresh("5s")
        .time("now-1h", "now")
        .timezone("utc")
        .with_variable(dashboard.DatasourceVariable("source").label("Source").type("prometheus"))
        .with_variable(_variable("workspace", "label_values(logos_up, workspace)"))
        .with_variable(
            _variable("session", 'label_values(logos_up{workspace=~"$workspace"}, session)')
        )
    )
    numbers = count(1)
    for title, panels in BOARD_ROWS.items():
        built = built.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            built = built.with_panel(_panel(panel).id(next(numbers)))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


def _variable(name: str, query: str) -> Any:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .query(query)
        .datasource(_source())
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def _source() -> Any:
    return models.DataSourceRef(type_val="prometheus", uid="$source")


def _panel(panel: Panel) -> Any:
    made: Any = timeseries.Panel()
    if panel.is_figure:
        made = stat.Panel().text_mode(common.BigValueTextMode.VALUE_AND_NAME)
    made = made.title(panel.title).description(panel.words).unit(panel.unit).span(panel.width)
    made = made.height(8).datasource(_source())
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expression).legend_format(query.legend)
        made = made.with_target(target.ref_id(chr(ord("A") + number)))
    return made


def main() -> int:
    """Write the file, or compare; 1 when it is stale."""
    text = board()
    if "--check" not in sys.argv[1:]:
        BOARD.write_text(text, encoding="utf-8")
        return 0
    is_stale = not BOARD.is_file() or json.loads(BOARD.read_text("utf-8")) != json.loads(text)
    if is_stale:
        print(f"{BOARD} is stale: run python tools/make_board.py", file=sys.stderr)
    return int(is_stale)


if __name__ == "__main__":
    sys.exit(main())

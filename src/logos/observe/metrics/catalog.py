"""Every metric of `logos metrics`: name, kind, labels, and one sentence of help.

docs/METRICS.md shows this table, and a test compares. Names are those of Prometheus' conventions:
base units (seconds, bytes, ratios of 1), `_total` for what only grows. Money is in units of the
currency that the label names, never converted. No label has an order's id or a reason's words:
every one takes few values.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram", "summary"]

OF_SESSION: Final = ("workspace", "session")
"""The first labels of every metric of a session: an id is a workspace's own."""


class Metric(NamedTuple):
    """One family. `labels` are all of them, in the order in which a sample gives its values."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    is_of_process: bool = False
    """It was measured in one process, and begins again with the one that resumes the session."""

    @property
    def never_falls(self) -> bool:
        """Whether it only grows while its session lives, over resumptions too."""
        return self.kind == "counter" and not self.is_of_process


def _of_session(name: str, kind: Kind, words: str, *labels: str) -> Metric:
    return Metric(name, kind, (*OF_SESSION, *labels), words)


def _gauge(name: str, words: str, *labels: str) -> Metric:
    return _of_session(name, "gauge", words, *labels)


def _counter(name: str, words: str, *labels: str) -> Metric:
    return _of_session(name, "counter", words, *labels)


def _of_process(name: str, kind: Kind, words: str, *labels: str) -> Metric:
    return _of_session(name, kind, words, *labels)._replace(is_of_process=True)


METRICS: Final = (
    # ---- who lives ----
    _gauge("logos_up", "1 while a process runs the session, 0 for a day after."),
    _gauge(
        "logos_session_info",
        "1; mode is recorded, paper (live data), live (orders to a venue) or unknown.",
        "mode",
        "kind",
    ),
    _gauge(
        "logos_session_state",
        "1 for the state of the session, 0 for the other states.",
        "state",
    ),
    _gauge("logos_session_exit_code", "How it ended, once it has: the exit code of its command."),
    _gauge("logos_session_start_time_seconds", "When this life of it began."),
    _gauge("logos_heartbeat_timestamp_seconds", "When it last showed that it moves."),
    _gauge("logos_heartbeat_age_seconds", "How old the heartbeat is."),
    _gauge("logos_user_code_stuck", "1 while code of the user does not return."),
    Metric("logos_sessions", "gauge", ("state",), "Sessions of this user by state."),
    # ---- the switch ----
    Metric(
        "logos_switch_state",
        "gauge",
        ("workspace", "state"),
        "1 for the state of the kill switch as its files say it, 0 for the other states.",
    ),
    Metric("logos_switch_epoch", "gauge", ("workspace",), "The epoch of the kill switch."),
    _gauge("logos_session_switch_epoch", "The epoch that the session has seen."),
    _gauge("logos_session_blocked", "1 once it has seen an engagement."),
    _gauge("logos_session_drained", "1 once nothing of it rests at a venue."),
    _gauge("logos_session_suspended", "1 while an operator suspends it."),
    _gauge("logos_symbol_paused", "1 while an operator pauses the symbol.", "symbol"),
    _gauge(
        "logos_fleet_epoch",
        "The epoch of the switch of the session's fleet, as it last read it.",
        "fleet",
    ),
    _gauge(
        "logos_fleet_permit_left_seconds",
        "How long the permit of its fleet still counts; 0: no order may leave.",
        "fleet",
    ),
    _gauge(
        "logos_fleet_permit_age_seconds",
        "How old the reading is that the permit follows from; while there is one.",
        "fleet",
    ),
    # ---- what it did ----
    _counter("logos_ticks_total", "Market events that the strategy was shown."),
    _counter("logos_orders_total", "Orders made.", "symbol"),
    _counter("logos_fills_total", "Fills.", "symbol"),
    _counter("logos_trades_total", "Fills that closed something.", "symbol"),
    _counter("logos_trades_won_total", "Of those, with a profit after fees.", "symbol"),
    _counter("logos_trades_lost_total", "Of those, with a loss after fees.", "symbol"),
    _counter("logos_refusals_total", "Refused orders by the guard's code.", "code"),
    _counter("logos_guard_actions_total", "Times that a guard did more than refuse.", "code"),
    _counter("logos_blocked_total", "Decisions that the kill switch blocked."),
    _counter("logos_warnings_total", "Warnings."),
    _gauge("logos_open_orders", "Orders that can still fill."),
    _gauge("logos_venue_differences", "Differences to the venue not explained."),
    # ---- money ----
    _gauge("logos_equity", "Equity, with what open positions are worth.", "currency"),
    _gauge("logos_realised_profit", "Profit before fees.", "symbol", "currency"),
    _gauge("logos_unrealised_profit", "Open profit at the marks.", "symbol", "currency"),
    _gauge("logos_fees", "Fees; below 0 where rebates are more.", "symbol", "currency"),
    _gauge("logos_payments", "Funding, interest, dividends received.", "currency"),
    _gauge("logos_day_profit", "Equity since the UTC day began.", "currency"),
    _gauge("logos_position", "Quantity held, below 0 when short.", "symbol"),
    _gauge("logos_mark_price", "The price at which it is valued.", "symbol"),
    _gauge("logos_exposure", "Worth of the position, no sign.", "symbol", "currency"),
    _gauge("logos_gross_exposure", "All positions' worth, no signs.", "currency"),
    _gauge("logos_net_exposure", "All positions' worth, with signs.", "currency"),
    _gauge("logos_drawdown", "Equity below its high-water mark now.", "currency"),
    _gauge("logos_drawdown_peak", "The deepest that it has been.", "currency"),
    _gauge(
        "logos_guard_used_ratio",
        "The used part of a guard's limit; subject is a symbol, a currency or empty.",
        "code",
        "subject",
    ),
    # ---- the machine ----
    _of_process(
        "logos_latency_seconds",
        "histogram",
        "From the receipt of market data to the stage.",
        "stage",
    ),
    _of_session(
        "logos_order_answer_seconds",
        "summary",
        "From an order's making to the first answer, by the times on record.",
        "symbol",
    ),
    _gauge(
        "logos_feed_age_seconds",
        "Since the latest market event was received; live sessions.",
    ),
    _gauge(
        "logos_feed_state",
        "1 for what the feed last said of itself, 0 for the other states.",
        "feed",
        "state",
    ),
    _gauge("logos_price_age_seconds", "How old the symbol's price is.", "symbol"),
    _gauge("logos_inbox_events", "Events queued for the core."),
    _of_process("logos_inbox_events_peak", "gauge", "The most that were queued."),
    _of_process("logos_quotes_conflated_total", "counter", "Quotes that a newer one replaced."),
    _of_process("logos_loop_overruns_total", "counter", "Batches that took more than 10 ms."),
    _of_process("logos_loop_stalls_total", "counter", "Times that the event loop stood still."),
    _gauge("logos_journal_bytes", "Size of the journal."),
    _gauge("logos_inputs_bytes", "Size of the recorded inputs; live sessions."),
    _gauge("logos_session_bytes", "Size of all files in the session's folder."),
    _of_process(
        "logos_fsync_seconds",
        "summary",
        "Waiting for the disk; file is journal or inputs.",
        "file",
    ),
    Metric("logos_disk_free_bytes", "gauge", ("workspace",), "Free space for this user."),
    Metric("logos_disk_size_bytes", "gauge", ("workspace",), "Size of that file system."),
    # ---- the exporter itself ----
    Metric("logos_build_info", "gauge", ("version",), "1; the version that serves this page."),
    Metric("logos_scrape_duration_seconds", "gauge", (), "What this page took to gather."),
    Metric(
        "logos_scrape_errors_total",
        "counter",
        ("source",),
        "Files that could not be read or understood since this exporter began.",
    ),
)
BY_NAME: Final = {metric.name: metric for metric in METRICS}

SESSION_STATES: Final = ("starting", "running", "stalled", "unknown", "dead", "ended")
"""As `logos status` has them: `running` and `starting` are well, `stalled` shows no sign of life,
`unknown` cannot be judged, `dead` lost its process without an end, `ended` came to its end."""
MODES: Final = ("recorded", "paper", "live", "unknown")
ERROR_SOURCES: Final = ("registry", "heartbeat", "metrics", "switch", "disk")

"""Every attribute of every class that a running core is made of, and what becomes of it in a save.

One forgotten field, and a session that was restored goes another way than one that ran through. So
each attribute stands here: saved as it is (whole numbers, flags, text), saved by code of its own in
`state`, or left out, with the reason. A test walks a core and compares.
"""

from __future__ import annotations

from typing import Final

from logos.core.account import Account, EquityTrack, Ledger, Wallet
from logos.core.commands import Commands
from logos.core.context import CoreContext
from logos.core.engine import TradingCore
from logos.core.exits.held import HeldExits
from logos.core.exits.keeper import Exits
from logos.core.guards import SessionGuards
from logos.core.handlers.agenda import Agenda
from logos.core.handlers.callbacks import Callbacks
from logos.core.handlers.hours import MarketHours
from logos.core.handlers.notes import Notes
from logos.core.handlers.timekeeping import Timekeeper
from logos.core.instrument_state import InstrumentState
from logos.core.inventory import Inventory, Lot
from logos.core.market import Market
from logos.core.matching import PaperMarket
from logos.core.order_manager import OrderManager
from logos.core.orders import Order, StandingTarget
from logos.core.outbox import Outbox
from logos.core.pipeline import OrderPipeline
from logos.core.prices.actions import CorporateActions
from logos.core.prices.sanity import PriceSanity
from logos.core.prices.watch import PriceWatch
from logos.core.reports import Reports
from logos.core.safety import SafetyMonitor
from logos.core.saved.bar_table import BAR_TABLE
from logos.core.saved.fields import PART, SETTING, Fields
from logos.core.terms.payments import Payments

TABLE: Final[dict[type, Fields]] = {
    TradingCore: Fields(
        handled=(
            *("_agenda", "_context", "_market", "_notes", "_safety", "timekeeper"),
            "order_manager",
        ),
        left={
            "_pipeline": PART,
            "_callbacks": PART,
            "_commands": PART,
            "_reports": PART,
            "strategy": "saves itself, if it can",
            "switch": "outside of the session: its files, and the journal's record of it",
        },
    ),
    OrderManager: Fields(
        saved=(
            "fill_count",
            "is_ending",
            "is_unsettled",
            "next_fill_id",
            "next_order_id",
            "now_ns",
            "order_count",
            "release_count",
            "tick_id",
        ),
        handled=("account", "states", "news", "guards", "outbox", "replaced", "targeted"),
        left={
            "effects": "handed over before anything is saved",
            "fleet": "outside of the session; the journal has the epoch of each order",
            "session_id": SETTING,
            "switch": "outside of the session",
            "wants_fills": "follows from the strategy's class",
            "wants_order_events": "as wants_fills",
        },
    ),
    Outbox: Fields(
        handled=("open",),
        left={"_requests": "handed over before anything is saved", "limits_must_rest": SETTING},
    ),
    Account: Fields(
        handled=("ledgers", "total", "wallets"),
        left={"total_currency": SETTING, "total_decimals": SETTING},
    ),
    Payments: Fields(
        saved=("next_ns",),
        left=dict.fromkeys(("_funded", "_lent", "_order_manager", "_safety", "_shorted"), PART),
    ),
    EquityTrack: Fields(saved=("equity", "high_water", "max_drawdown")),
    Wallet: Fields(
        saved=("balance", "locked"),
        left=dict.fromkeys(("asset", "borrow_limit", "decimals", "initial"), SETTING),
    ),
    Ledger: Fields(
        saved=(
            "daily_loss_tripped",
            "day_start",
            "drawdown_tripped",
            "fees",
            "floor",
            "gross_exposure",
            "initial_margin",
            "maintenance_margin",
            "margin_call",
            "net_exposure",
            *("open_buy_value", "open_increase", "open_sell_value"),
            *("payments", "realised", "unrealised"),
        ),
        handled=("track",),
        left={
            "total": "the account's, shared by all ledgers",
            "wallet": "one of the account's",
            **dict.fromkeys(
                (
                    *("currency", "decimals", "initial", "interest_rate", "is_charged"),
                    *("limits", "total_factor"),
                ),
                SETTING,
            ),
        },
    ),
    InstrumentState: Fields(
        saved=(
            "ask",
            "base_spare",
            "bid",
            "buy_left",
            "calm_high",
            "calm_low",
            "excused_ns",
            "exit_orders",
            "fees",
            "initial_margin",
            "is_busy",
            "is_liquidity_shared",
            "is_paused",
            "lag_ns",
            *("last_ns", "last_price"),
            "lost_exits",
            "maintenance_margin",
            "market_value",
            "open_buy",
            "open_increase",
            "open_sell",
            "order_quantity",
            "realised",
            "recent_orders_limit",
            "sell_left",
            "silence_told_ns",
            "two_sided",
            "worst_buy_price",
            "worst_sell_price",
        ),
        handled=("bars", "inventory", "recent_orders", "target", "watch", "working"),
        left={
            "base_wallet": "one of the account's",
            "ledger": "one of the account's",
            **dict.fromkeys(
                (
                    *("base_factor", "cap_notional", "fee_rule", "instrument", "limits"),
                    *("mark_rule", "room_price", "room_rate", "unit_value"),
                ),
                SETTING,
            ),
        },
    ),
    PriceWatch: Fields(
        saved=(
            *("candidate", "candidate_ns", "doubt", "episode", "interval_ns", "is_released"),
            *("actions_done", "is_action_due", "is_gap_told", "is_stopped", "is_told"),
            *("next_action_ns", "steady_since_ns"),
        ),
        left={
            "split": "taken within the event in which it was found",
            **dict.fromkeys(("actions", "band_rate", "stale_bars", "stale_ns", "tick"), SETTING),
            **dict.fromkeys(("lowest", "sees_all", "stops_at_splits"), SETTING),
        },
    ),
    PriceSanity: Fields(left={"_actions": PART, "_order_manager": PART}),
    CorporateActions: Fields(left={"_order_manager": PART}),
    Inventory: Fields(
        saved=("_next_lot_id", "cost", "position"),
        handled=("_lots",),
        left={
            "_first": "only open lots are saved, so it is 0",
            **dict.fromkeys(("is_inverse", "unit_value"), SETTING),
        },
    ),
    Lot: Fields(saved=("fee", "lot_id", "opened_ns", "price", "quantity", "rest", "worth")),
    Order: Fields(
        saved=(
            "arrival_ns",
            "at_market",
            "cancel_at_ns",
            "client_order_id",
            "covered",
            *("created_ns", "day_ends_ns"),
            "fee",
            "fee_base",
            "filled",
            "follows",
            "group",
            "held_in",
            "is_open",
            "is_resting",
            "judged_price",
            "limit_price",
            "locked",
            "notes",
            "order_id",
            "quantity",
            "reduce_only",
            "reference_price",
            "stop_loss",
            "stop_price",
            "tag",
            "take_profit",
            "tick_id",
            "tries",
            "triggered",
        ),
        handled=(
            "cancel_code",
            "instrument",
            "reason",
            "replacement",
            "side",
            "status",
            "time_in_force",
            "type",
        ),
        left={
            "is_buy": "follows from side",
            "shown": "made anew when it is asked for",
            "sign": "follows from side",
        },
    ),
    StandingTarget: Fields(
        saved=("is_filled", "order_id", "tries"),
        handled=("code", "request"),
        left={"wanted": "follows from the request"},
    ),
    SessionGuards: Fields(
        saved=("_orders_seen", "_refusals_seen", "consecutive_losses", "open_orders"),
        handled=("_order_times_ns", "_refusal_times_ns"),
        left=dict.fromkeys(
            (
                "_actions",
                "consecutive_losses_limit",
                "open_orders_limit",
                "order_count",
                "order_window_ns",
                "own",
                "refusal_count",
                "refusal_window_ns",
            ),
            SETTING,
        ),
    ),
    SafetyMonitor: Fields(
        saved=("_exposed", "_has_lost_too_often", "blocked_count", "is_halted", "seen", "trigger"),
        left={
            "_order_manager": PART,
            "_halt_on_engage": SETTING,
            "_switch": "outside of the session",
            "is_flattening": "nothing is saved while a flattener stands in for the strategy",
            "is_suspended": "nothing is saved while the session is suspended",
        },
    ),
    Timekeeper: Fields(
        saved=("_day", "_next_look_ns", "_next_risk_ns", "_next_sample_ns", "next_check_ns"),
        handled=("payments",),
        left={
            **dict.fromkeys(("_agenda", "_order_manager", "_safety"), PART),
            **dict.fromkeys(("_sample_ns", "carried_ns", "carried_words", "risk_ns"), SETTING),
        },
    ),
    Agenda: Fields(
        saved=("_next_id", "due_ns", "is_clocked"),
        handled=("hours", "timers"),
        left={
            "_is_calling": "only within the calls of one moment",
            "_order_manager": PART,
        },
    ),
    MarketHours: Fields(saved=("next_ns",), handled=("is_open",), left={"_order_manager": PART}),
    Notes: Fields(
        saved=("in_tick", "is_dropping", "notes", "plots", "tick_id"),
        left={"_order_manager": PART, "mask": SETTING},
    ),
    CoreContext: Fields(
        handled=("random",),
        left={
            **dict.fromkeys(("_figures", "_history", "_now_ns", "_timeframe", "_tools"), PART),
            **dict.fromkeys(("params", "symbols"), SETTING),
        },
    ),
    OrderPipeline: Fields(
        left={
            "_callbacks": PART,
            "_exits": PART,
            "_order_manager": PART,
            "_market": PART,
            "_rules": SETTING,
            "_safety": PART,
            "_sanity": PART,
        }
    ),
    Market: Fields(
        saved=("bad_price_count",),
        left={
            **dict.fromkeys(
                ("_exits", "_order_manager", "_paper_market", "_safety", "_sanity"), PART
            ),
            "_rules": SETTING,
        },
    ),
    Callbacks: Fields(
        left={
            **dict.fromkeys(("_context", "_keeper", "_order_manager"), PART),
            **dict.fromkeys(("_own", "_strategy"), "saves itself, if it can"),
            "is_asking": "nothing is saved while nobody is asked",
            "on_bar": "the strategy's own method: nothing is saved while it is replaced",
            "on_quote": "as on_bar",
            "on_trade": "as on_bar",
        }
    ),
    Commands: Fields(
        left={
            **dict.fromkeys(
                ("_callbacks", "_context", "_order_manager", "_pipeline", "_safety"), PART
            ),
            "_strategy": "saves itself, if it can",
            "flattener": "nothing is saved while a flattener stands in for the strategy",
        }
    ),
    Exits: Fields(
        left={
            **dict.fromkeys(("_order_manager", "_safety", "held"), PART),
            "born": "taken within the event in which they came to life",
            "was_gate_closed": "as born",
        }
    ),
    HeldExits: Fields(left=dict.fromkeys(("_order_manager", "_safety"), PART)),
    PaperMarket: Fields(left={"_is_open": SETTING, "rules": SETTING}),
    Reports: Fields(left=dict.fromkeys(("_exits", "_order_manager", "_pipeline", "_safety"), PART)),
    **BAR_TABLE,
}
"""Every class with state that a core reaches, and what becomes of each of its attributes."""

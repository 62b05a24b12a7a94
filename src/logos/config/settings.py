"""Every setting of a session, once: its key, its type, its default, its unit, what it means.

There are no other defaults but those of limits, which depend on the session: a limit of None has
the one in `limits`. The words under each key are what `logos config init` writes beside it, so they
are for operators. Numbers that are money, prices or quantities are decimal text or TOML numbers,
read exactly, never as floats.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from logos.config.tables.alerts import AlertSettings
from logos.config.tables.base import Settings
from logos.config.tables.carry import CarrySettings
from logos.config.tables.coordinator import KillSwitchSettings
from logos.config.tables.disk import DiskSettings
from logos.config.tables.kafka import ShipSettings
from logos.config.tables.live import LiveSettings, VenueSettings
from logos.config.tables.log import LogSettings
from logos.config.tables.shards import ShardsSettings
from logos.core.guards import Action
from logos.core.types import BarPath, FillRule, MarkRule
from logos.secrecy import masked

BALANCE_DEFAULT = Decimal(1_000_000)


class SessionSettings(Settings, frozen=True, kw_only=True):
    """`[session]`: who the session is. An empty id takes the next free `session-NNNN`."""

    id: str = ""
    """The name of its folder: 1 to 64 letters, digits, '_' and '-'; empty: the next free one."""
    seed: int | None = None
    """Of the session's generator; not set: LOGOS_SEED, else the default of `logos.paths`."""
    sample_interval_s: int = 3600
    """How often account.csv and positions.csv get rows, in seconds of event time; 0: ends only."""


class StrategySettings(Settings, frozen=True, kw_only=True):
    """`[strategy]`: a bundled name or `module:Class`, or a file of signals instead."""

    name: str = ""
    """A bundled name, `package.module:Class` or `file.py:Class`."""
    params: dict[str, Any] = {}
    """The strategy's keyword arguments."""
    signals: str = ""
    """A CSV of signals to act out instead of a strategy."""

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        fields = msgspec.structs.fields(self)
        return [(each.name, masked(each.name, getattr(self, each.name))) for each in fields]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


class DataSettings(Settings, frozen=True, kw_only=True):
    """`[data]`: files and folders to replay, in the order in which ties are broken."""

    paths: list[str] = []
    """Files and folders of market data."""
    symbols: list[str] = []
    """Only these; empty: all that is found."""
    start: str = msgspec.field(default="", name="from")
    """First event time, ISO-8601 UTC, inclusive; empty: from the beginning."""
    end: str = msgspec.field(default="", name="to")
    """Last event time, exclusive; empty: to the end."""
    accept: list[str] = []
    """Kinds of data defects to tolerate; see `logos data check`."""
    timezone: str | msgspec.UnsetType = msgspec.UNSET
    """The zone of times that name none, such as "America/New_York". Not set: they are refused."""
    time_format: str | msgspec.UnsetType = msgspec.UNSET
    """How times are written, such as "yyyymmdd" or a pattern with %. Not set: ISO or an epoch."""
    stamp: str | msgspec.UnsetType = msgspec.UNSET
    """Whether a bar's time is its "open" or its "close". Not set: open."""
    interval: str | msgspec.UnsetType = msgspec.UNSET
    """How long bars are, such as "1h". Not set: by the file's name, else the commonest step."""


class FeeSettings(Settings, frozen=True, kw_only=True):
    """`[instruments.SYMBOL.fees]`: rates as fractions (0.001 is 0.1 %), amounts in the quote."""

    maker: Decimal = Decimal(0)
    """Of the fill's value, when the order was waiting; below 0: a rebate."""
    taker: Decimal = Decimal(0)
    """Of the fill's value, when the order went to the price; below 0: a rebate."""
    per_unit: Decimal = Decimal(0)
    """For each unit of quantity."""
    per_fill: Decimal = Decimal(0)
    """For each fill."""
    minimum: Decimal = Decimal(0)
    """For each order that fills at all; 0: none."""
    decimals: int = 8
    """Fees are rounded to this many decimals of the quote currency, once per order."""
    rounding: str = "up"
    """down, up (for you and against you), floor, ceiling, half_up or half_even."""


class FundingSettings(Settings, frozen=True, kw_only=True):
    """`[instruments.SYMBOL.funding]`: what a perpetual contract pays, by its position's value."""

    rate: Decimal = Decimal(0)
    """At each time, as a fraction; above 0 those who are long pay."""
    times: list[str] = msgspec.field(default_factory=lambda: ["00:00", "08:00", "16:00"])
    """Times of every day, UTC."""
    file: str = ""
    """A CSV with the columns time and rate instead: a rate for each time of its own."""
    rates: list[str] = []
    """The same in the settings, each "TIME RATE"; a session has here what it read of the file."""


class InstrumentSettings(Settings, frozen=True, kw_only=True):
    """`[instruments.SYMBOL]`: what is traded, and in which steps."""

    quote: str
    """The currency of prices and profit."""
    tick: Decimal
    """The price step; its decimals are the price's."""
    lot: Decimal
    """The quantity step; its decimals are the quantity's."""
    base: str = ""
    """The asset that is traded; empty: the symbol itself."""
    multiplier: Decimal = Decimal(1)
    """Money per price unit and quantity unit (a contract's size)."""
    min_quantity: Decimal = Decimal(0)
    """The smallest order."""
    max_quantity: Decimal = Decimal(0)
    """The largest order; 0: none."""
    min_notional: Decimal = Decimal(0)
    """The smallest order's value, in the quote currency."""
    settlement: str = "spot"
    """"spot": the asset for cash; "margin": profit, loss, fees alone; "inverse": these in coins."""
    leverage: int = 1
    """Margin bound is value * rate / leverage; "margin" only."""
    initial_margin: Decimal = Decimal(1)
    """The rate that a new position binds; "margin" only."""
    maintenance_margin: Decimal = Decimal(0)
    """The rate below which equity is a margin call; "margin" only."""
    hours: list[str] = []
    """When it trades, UTC, such as "mon-fri 13:30-20:00"; empty: always."""
    band: Decimal | None = None
    """How far a fill may be from the market around it, as a fraction; 0: any price counts. Not set:
    paper.band."""
    split_check: bool = True
    """A price that jumps like a split, over night or after a silence, stops the symbol."""
    splits: list[str] = []
    """Such as "2000-10-13 2:1": when prices begin to be without it, new shares for old ones."""
    dividends: list[str] = []
    """Such as "2000-10-26 0.02": the same day, and money for each unit."""
    fees: FeeSettings = FeeSettings()
    """What trading it costs."""
    actions: str | msgspec.UnsetType = msgspec.UNSET
    """A file of `logos data actions` with splits and dividends instead of them. Not set: none."""
    actions_sha256: str | msgspec.UnsetType = msgspec.UNSET
    """SHA-256 of that file; a session has here what it read, with its splits and dividends."""
    mark: MarkRule | msgspec.UnsetType = msgspec.UNSET
    """What a position is valued at: bid_ask, mid or last. Not set: bid_ask."""
    timezone: str | msgspec.UnsetType = msgspec.UNSET
    """The time zone of `hours`, such as "America/New_York". Not set: UTC."""
    calendar: str | msgspec.UnsetType = msgspec.UNSET
    """An exchange's calendar instead of `hours`: a name, "XNYS", or a file. Not set: none."""
    sessions: list[str] | msgspec.UnsetType = msgspec.UNSET
    """The sessions, each "OPEN/CLOSE" in UTC. Not set: worked out from calendar or time zone."""
    calendar_sha256: str | msgspec.UnsetType = msgspec.UNSET
    """SHA-256 of the file of the calendar; a session has here what it read."""
    bar_days: int | msgspec.UnsetType = msgspec.UNSET
    """Days of a bar, by whose sessions orders at its close are judged. Not set: the data's."""
    allow_negative_prices: bool | msgspec.UnsetType = msgspec.UNSET
    """A price may be zero or less; "margin" and the paper market only. Not set: false."""
    borrow_rate: Decimal | msgspec.UnsetType = msgspec.UNSET
    """What a short position costs a year, as a fraction of its value. Not set: nothing."""
    funding: FundingSettings | msgspec.UnsetType = msgspec.UNSET
    """What a perpetual contract pays. Not set: nothing."""
    data_tick: Decimal | msgspec.UnsetType = msgspec.UNSET
    """The step of the prices in the data, where it is finer than that of orders. Not set: tick."""


class AccountSettings(Settings, frozen=True, kw_only=True):
    """`[account]`: what there is at the start, and what may be borrowed, by asset."""

    balances: dict[str, Decimal] = {}
    """By asset; empty: 1,000,000 of every quote currency."""
    borrow: dict[str, Decimal] = {}
    """How far below zero an asset may go; an asset that is not named may not."""
    report_in: str = ""
    """A currency for totals over all ledgers; needs a rate for every other quote currency."""
    rates: dict[str, Decimal] = {}
    """What one unit of a currency is worth in `report_in`."""
    interest: dict[str, Decimal] | msgspec.UnsetType = msgspec.UNSET
    """By currency, what a year of a balance below zero costs, as a fraction. Not set: nothing."""


class PaperSettings(Settings, frozen=True, kw_only=True):
    """`[paper]`: how the paper market fills; see docs/FILLS.md."""

    fill: FillRule = FillRule.NEXT_OPEN
    """next_open, decision_close or bid_ask."""
    bar_path: BarPath = BarPath.NEAREST_FIRST
    """nearest_first, open_high_low_close or open_low_high_close."""
    slippage_ticks: int = 0
    """How many ticks market orders and stops fill worse."""
    slippage_bps: Decimal = Decimal(0)
    """How many basis points they fill worse, on top."""
    participation: Decimal = Decimal(0)
    """Share of an event's volume or size that may be taken (0.25 is a quarter); 0: no cap."""
    latency_ms: Decimal = Decimal(0)
    """Milliseconds from decision to market."""
    band: Decimal = Decimal("0.2")
    """How far a fill may be from the market around it (its other side, the last price), as a
    fraction; 0: any price counts."""
    stale_after_s: Decimal | None = None
    """How old a price may be that an order fills at, in seconds; 0: any age. Not set: 60, and three
    of the symbol's bars more where it has bars."""


class OrderSettings(Settings, frozen=True, kw_only=True):
    """`[orders]` and `[orders.symbols.SYMBOL]`: how signals become orders."""

    quantity: Decimal | None = None
    """What a bare side trades; not set: the smallest quantity the instrument allows, worth twice
    its min_notional at the first bare side."""
    cap_notional: Decimal = Decimal(0)
    """Intents are shrunk to this much quote currency; 0: never."""


class OrdersSettings(OrderSettings, frozen=True, kw_only=True):
    """`[orders]`: the defaults, and exceptions by symbol."""

    symbols: dict[str, OrderSettings] = {}
    """Exceptions by symbol: what is not repeated here still holds."""


class RiskLimits(Settings, frozen=True, kw_only=True):
    """`[risk]` and `[risk.symbols.SYMBOL]`: limits on one symbol's orders; 0 means none."""

    max_order_notional: Decimal = Decimal(0)
    """What one order may be worth, in the symbol's quote currency."""
    max_order_share: Decimal | None = None
    """What an order may add to a position, in equity. Not set: 1, or max_order_notional."""
    max_order_quantity: Decimal = Decimal(0)
    """Units of the symbol in one order."""
    max_position: Decimal = Decimal(0)
    """In units of the symbol, long or short, with everything in flight filled."""
    max_position_share: Decimal | None = None
    """What a position may be worth, in flight included, in equity. Not set: 2, or max_position."""
    price_collar: Decimal | None = None
    """How far a limit or stop price may be from the market, as a fraction of it. Not set: 0.5."""
    max_open_orders: int = 0
    """Orders of the symbol that may be open together."""
    stale_after_s: Decimal | None = None
    """How old a symbol's last price may be, in seconds of event time. Not set: 60 on live data, and
    three of its bars more where that has bars; none on recorded data."""
    duplicate_window_s: Decimal = Decimal(0)
    """The same order again within this time is refused."""


class TotalLimits(Settings, frozen=True, kw_only=True):
    """`[risk.total]`: limits on the whole session, money of each currency apart. 0 is no limit."""

    max_gross_exposure: Decimal = Decimal(0)
    """Worth of all positions without their signs, with everything in flight filled."""
    max_gross_share: Decimal | None = None
    """The same in parts of equity; the tighter counts. Not set: 3, or max_gross_exposure."""
    max_net_exposure: Decimal = Decimal(0)
    """Worth of all positions with their signs, either way."""
    max_open_orders: int | None = None
    """Open orders of all symbols. Not set: 200."""
    max_orders: int | None = None
    """How many orders may be made in any `max_orders_window_s`. Not set: 100."""
    max_orders_window_s: Decimal = Decimal(1)
    """Seconds, sliding."""
    max_refusals: int | None = None
    """How many orders may be refused in any `max_refusals_window_s`. Not set: 100."""
    max_refusals_window_s: Decimal = Decimal(10)
    """Seconds, sliding."""
    max_drawdown: Decimal = Decimal(0)
    """From the high-water mark of equity, in money."""
    max_drawdown_share: Decimal | None = None
    """The same in parts of the high-water mark; the tighter counts. Not set: 0.25, or max_drawdown;
    passing that halts this session alone."""
    max_daily_loss: Decimal = Decimal(0)
    """Since the beginning of the UTC day."""
    max_consecutive_losses: int = 0
    """Closing fills in a row that lost money, fees included."""


class RiskSettings(RiskLimits, frozen=True, kw_only=True):
    """`[risk]`: the defaults, exceptions by symbol, totals, actions. 0 is no limit."""

    unlimited: bool = False
    """Nothing is limited but what is set; otherwise limits that are not set have defaults."""
    symbols: dict[str, RiskLimits] = {}
    """Exceptions by symbol: what is not repeated here still holds."""
    total: TotalLimits = TotalLimits()
    """Limits on the whole session."""
    actions: dict[str, Action] = {}
    """By guard (lower case, such as max_drawdown): "refuse", "reduce_only", "halt" or "engage"."""
    guards: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Guards of your own, each "module:function" or "file.py:function"; see docs/GUARDS.md."""


class SwitchSettings(Settings, frozen=True, kw_only=True):
    """`[switch]`: what an engaged kill switch does to the session."""

    on_engaged: str = "halt"
    """"halt": it ends; "block": it watches on to the end, and sends nothing."""


class Config(Settings, frozen=True, kw_only=True):
    """Everything a session is made from."""

    session: SessionSettings = SessionSettings()
    strategy: StrategySettings = StrategySettings()
    data: DataSettings = DataSettings()
    instruments: dict[str, InstrumentSettings] = {}
    account: AccountSettings = AccountSettings()
    paper: PaperSettings = PaperSettings()
    orders: OrdersSettings = OrdersSettings()
    risk: RiskSettings = RiskSettings()
    switch: SwitchSettings = SwitchSettings()
    venue: VenueSettings = VenueSettings()
    live: LiveSettings = LiveSettings()
    disk: DiskSettings | msgspec.UnsetType = msgspec.UNSET
    killswitch: KillSwitchSettings | msgspec.UnsetType = msgspec.UNSET
    ship: ShipSettings | msgspec.UnsetType = msgspec.UNSET
    alerts: AlertSettings | msgspec.UnsetType = msgspec.UNSET
    shards: ShardsSettings | msgspec.UnsetType = msgspec.UNSET
    log: LogSettings | msgspec.UnsetType = msgspec.UNSET
    carry: CarrySettings | msgspec.UnsetType = msgspec.UNSET

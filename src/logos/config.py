"""The settings of a session: a TOML file, overridden by the command line.

Every key stands here once, with its default and its unit; there are no other defaults. A key
nobody knows is refused with the nearest one that exists, and a value of the wrong type with the
place it stands at. Numbers that are money, prices or quantities are decimal text or TOML numbers,
read exactly, never as floats.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

import msgspec

from logos.core.guards import Action
from logos.core.types import BarPath, FillRule


class ConfigError(Exception):
    """The configuration cannot be used; the message says what, where and what to do."""


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of settings."""


class SessionSettings(_Settings, frozen=True, kw_only=True):
    """`[session]`: who the session is. An empty id takes the next free `session-NNNN`."""

    id: str = ""
    seed: int | None = None
    """None: LOGOS_SEED, else the default of `logos.paths`."""
    sample_interval_s: int = 3600
    """How often account.csv and positions.csv get rows, in seconds of event time; 0: ends only."""


class StrategySettings(_Settings, frozen=True, kw_only=True):
    """`[strategy]`: a bundled name or `module:Class`, or a file of signals instead."""

    name: str = ""
    params: dict[str, Any] = {}
    signals: str = ""


class DataSettings(_Settings, frozen=True, kw_only=True):
    """`[data]`: files and folders to replay, in the order in which ties are broken."""

    paths: list[str] = []
    symbols: list[str] = []
    """Empty: all that is found."""
    start: str = msgspec.field(default="", name="from")
    """First event time, ISO-8601 UTC, inclusive; empty: from the beginning."""
    end: str = msgspec.field(default="", name="to")
    """Exclusive."""
    accept: list[str] = []
    """Kinds of data defects to tolerate; see `logos data check`."""


class FeeSettings(_Settings, frozen=True, kw_only=True):
    """`[instruments.SYMBOL.fees]`: rates as fractions (0.001 is 0.1 %), amounts in the quote."""

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    per_unit: Decimal = Decimal(0)
    per_fill: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    decimals: int = 8
    """Fees are rounded to this many decimals of the quote currency, once per order."""
    rounding: str = "up"


class InstrumentSettings(_Settings, frozen=True, kw_only=True):
    """`[instruments.SYMBOL]`: see `logos.core.instrument`."""

    quote: str
    tick: Decimal
    lot: Decimal
    base: str = ""
    multiplier: Decimal = Decimal(1)
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    settlement: str = "spot"
    leverage: int = 1
    initial_margin: Decimal = Decimal(1)
    maintenance_margin: Decimal = Decimal(0)
    hours: list[str] = []
    """When it trades, UTC, such as "mon-fri 13:30-20:00"; empty: always."""
    fees: FeeSettings = FeeSettings()


class AccountSettings(_Settings, frozen=True, kw_only=True):
    """`[account]`: what there is at the start, and what may be borrowed, by asset."""

    balances: dict[str, Decimal] = {}
    """Empty: BALANCE_DEFAULT of every quote currency."""
    borrow: dict[str, Decimal] = {}
    """How far below zero an asset may go; an asset that is not named may not."""
    report_in: str = ""
    """A currency for totals over all ledgers; needs a rate for every other quote currency."""
    rates: dict[str, Decimal] = {}
    """What one unit of a currency is worth in `report_in`."""


class PaperSettings(_Settings, frozen=True, kw_only=True):
    """`[paper]`: how the paper market fills; see docs/FILLS.md."""

    fill: FillRule = FillRule.NEXT_OPEN
    bar_path: BarPath = BarPath.NEAREST_FIRST
    slippage_ticks: int = 0
    slippage_bps: Decimal = Decimal(0)
    participation: Decimal = Decimal(0)
    """Share of an event's volume or size that may be taken (0.25 is a quarter); 0: no cap."""
    latency_ms: Decimal = Decimal(0)


class OrderSettings(_Settings, frozen=True, kw_only=True):
    """`[orders]` and `[orders.symbols.SYMBOL]`: how signals become orders."""

    quantity: Decimal | None = None
    """What a bare side trades; None: the smallest quantity the instrument allows."""
    cap_notional: Decimal = Decimal(0)
    """Intents are shrunk to this much quote currency; 0: never."""


class OrdersSettings(OrderSettings, frozen=True, kw_only=True):
    """`[orders]`: the defaults, and exceptions by symbol."""

    symbols: dict[str, OrderSettings] = {}


class RiskLimits(_Settings, frozen=True, kw_only=True):
    """`[risk]` and `[risk.symbols.SYMBOL]`: limits on one symbol's orders; 0 means none."""

    max_order_notional: Decimal = Decimal(0)
    """In the symbol's quote currency."""
    max_order_quantity: Decimal = Decimal(0)
    max_position: Decimal = Decimal(0)
    """In units of the symbol, long or short, with everything in flight filled."""
    price_collar: Decimal = Decimal(0)
    """How far a limit or stop price may be from the market, as a fraction of it."""
    max_open_orders: int = 0
    stale_after_s: Decimal = Decimal(0)
    """Orders are refused when the symbol's last price is older (event time)."""
    duplicate_window_s: Decimal = Decimal(0)
    """The same order again within this time is refused."""


class TotalLimits(_Settings, frozen=True, kw_only=True):
    """`[risk.total]`: limits on the whole session; money applies to each currency by itself."""

    max_gross_exposure: Decimal = Decimal(0)
    max_net_exposure: Decimal = Decimal(0)
    max_open_orders: int = 0
    max_orders: int = 0
    """How many orders may be made in any `max_orders_window_s`."""
    max_orders_window_s: Decimal = Decimal(1)
    max_drawdown: Decimal = Decimal(0)
    """From the high-water mark of equity, in money."""
    max_drawdown_share: Decimal = Decimal(0)
    """The same as a fraction of the high-water mark; the tighter of the two counts."""
    max_daily_loss: Decimal = Decimal(0)
    """Since the beginning of the UTC day."""
    max_consecutive_losses: int = 0
    """Closing fills in a row that lost money, fees included."""


class RiskSettings(RiskLimits, frozen=True, kw_only=True):
    """`[risk]`: the defaults, exceptions by symbol, totals, and what guards do besides refusing."""

    symbols: dict[str, RiskLimits] = {}
    total: TotalLimits = TotalLimits()
    actions: dict[str, Action] = {}
    """By guard (lower case, such as max_drawdown): "refuse", "reduce_only" or "engage"."""


class SwitchSettings(_Settings, frozen=True, kw_only=True):
    """`[switch]`: what an engaged kill switch does to the session: "halt" it or "block" it."""

    on_engaged: str = "halt"


class Config(_Settings, frozen=True, kw_only=True):
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


_FEE_DECIMALS_MAX = 18
BALANCE_DEFAULT = Decimal(1_000_000)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict, its floats as exact Decimals. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError, ArithmeticError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on top, table by table."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both_tables = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both_tables else value  # type: ignore[arg-type]
    return merged


def make_config(raw: Mapping[str, Any], where: str = "configuration") -> Config:
    """Check `raw` and make it a Config. `where` names the source in errors.

    Raises ConfigError listing every unknown or missing key and every value of a wrong type, or
    every value out of range.
    """
    problems = _problems(raw, Config, "")
    if problems:
        raise ConfigError(f"{where}: " + "; ".join(problems))
    config = msgspec.convert(_with_symbols(raw), Config)
    endless = _endless_numbers(config, "")
    if endless:
        raise ConfigError(f"{where}: " + "; ".join(endless))
    _check_values(config, where)
    return config


def _with_symbols(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`raw` with every symbol's exceptions laid over the defaults of their table.

    A symbol's table changes what it names and nothing else: a limit that is not repeated there
    still holds.
    """
    whole = dict(raw)
    for table in ("orders", "risk"):
        settings = whole.get(table)
        if not isinstance(settings, Mapping) or "symbols" not in settings:
            continue
        defaults = {
            key: value
            for key, value in settings.items()
            if key not in ("symbols", "total", "actions")
        }
        symbols = {name: {**defaults, **each} for name, each in settings["symbols"].items()}
        whole[table] = {**settings, "symbols": symbols}
    return whole


def config_hash(config: Config) -> str:
    """SHA-256 of the settings, the session's id aside: equal hashes mean equal sessions."""
    anonymous = msgspec.structs.replace(
        config, session=msgspec.structs.replace(config.session, id="")
    )
    return hashlib.sha256(msgspec.json.encode(anonymous, order="sorted")).hexdigest()


def _problems(raw: object, expected: Any, path: str) -> list[str]:
    """A line for every key of `raw` that is unknown, missing, or of a wrong type."""
    if get_origin(expected) is dict and get_args(expected)[1] is not Any and _is_table(raw):
        inner = get_args(expected)[1]
        return [
            line for key, value in raw.items() for line in _problems(value, inner, _join(path, key))
        ]
    if not (isinstance(expected, type) and issubclass(expected, _Settings) and _is_table(raw)):
        return _wrong_value(raw, expected, path)
    hints = get_type_hints(expected)
    fields = msgspec.structs.fields(expected)
    known = {field.encode_name: hints[field.name] for field in fields}
    lines = [
        f"{_join(path, field.encode_name)}: is missing"
        for field in fields
        if field.required and field.encode_name not in raw
    ]
    for key, value in raw.items():
        if key in known:
            lines += _problems(value, known[key], _join(path, key))
            continue
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        lines.append(f"unknown key {_join(path, key)!r}; {hint}")
    return lines


def _is_table(raw: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(raw, Mapping)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _wrong_value(raw: object, expected: Any, path: str) -> list[str]:
    """Why a value is not of its type, in words; nothing when it is."""
    try:
        msgspec.convert(raw, expected)
    except msgspec.ValidationError as error:
        text, _, _ = str(error).partition(" - at `$")
        if isinstance(expected, type) and issubclass(expected, enum.Enum):
            text += "; use one of " + ", ".join(choice.value for choice in expected)
        return [f"{path}: {text}"]
    return []


def _endless_numbers(value: object, path: str) -> list[str]:
    """A line for every NaN and infinity, wherever it stands."""
    if isinstance(value, Decimal) and not value.is_finite():
        return [f"{path}: must be a finite number, not {value}"]
    if isinstance(value, msgspec.Struct):
        value = {
            field.encode_name: getattr(value, field.name) for field in msgspec.structs.fields(value)
        }
    if not isinstance(value, Mapping):
        return []
    return [
        line
        for key, inner in value.items()
        for line in _endless_numbers(inner, f"{path}.{key}" if path else str(key))
    ]


def _check_values(config: Config, where: str) -> None:
    """Refuse what has the right type and still makes no sense."""
    paper = config.paper
    problems = []
    if config.session.seed is not None and config.session.seed < 0:
        problems.append("session.seed must be 0 or more")
    if config.session.sample_interval_s < 0:
        problems.append("session.sample_interval_s must be 0 or more")
    if not 0 <= paper.participation <= 1:
        problems.append("paper.participation is a share from 0 to 1")
    if paper.slippage_ticks < 0 or paper.slippage_bps < 0 or paper.latency_ms < 0:
        problems.append("paper.slippage_ticks, slippage_bps and latency_ms must be 0 or more")
    if config.switch.on_engaged not in ("halt", "block"):
        problems.append("switch.on_engaged is 'halt' or 'block'")
    tables = [("risk", config.risk), ("risk.total", config.risk.total)]
    symbols = [(f"risk.symbols.{symbol}", each) for symbol, each in config.risk.symbols.items()]
    for name, limits in [*tables, *symbols]:
        for field in msgspec.structs.fields(limits):
            value = getattr(limits, field.name)
            if isinstance(value, (int, Decimal)) and value < 0:
                problems.append(f"{name}.{field.name} must be 0 (none) or more, not {value}")
    if config.risk.total.max_orders and not config.risk.total.max_orders_window_s:
        problems.append("risk.total.max_orders needs a max_orders_window_s above 0")
    for asset, balance in (*config.account.balances.items(), *config.account.borrow.items()):
        if not balance.is_finite() or balance < 0:
            problems.append(f"account: {asset} must be 0 or more, not {balance}")
    if config.orders.cap_notional < 0:
        problems.append("orders.cap_notional must be 0 (none) or more")
    for symbol, each in (("", config.orders), *config.orders.symbols.items()):
        if each.quantity is not None and each.quantity <= 0:
            name = f"orders.symbols.{symbol}" if symbol else "orders"
            problems.append(f"{name}.quantity must be above 0, not {each.quantity}")
    for currency, rate in config.account.rates.items():
        if rate <= 0:
            problems.append(f"account.rates.{currency} must be above 0, not {rate}")
    for symbol, settings in config.instruments.items():
        fees = settings.fees
        if min(fees.maker, fees.taker, fees.per_unit, fees.per_fill, fees.minimum) < 0:
            problems.append(f"instruments.{symbol}.fees: rebates (negative fees) are not supported")
        if not 0 <= fees.decimals <= _FEE_DECIMALS_MAX:
            problems.append(f"instruments.{symbol}.fees.decimals: 0 to {_FEE_DECIMALS_MAX}")
    if config.account.rates and not config.account.report_in:
        problems.append("account.rates needs account.report_in, the currency they convert to")
    if problems:
        raise ConfigError(f"{where}: " + "; ".join(problems))

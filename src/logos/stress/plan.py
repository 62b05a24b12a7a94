"""What a stress run is made of: its symbols, its limits, the settings of its session, its faults.

Everything follows from the plan and its seed. The session's settings are an ordinary file, so that
what is tried is what an operator would run: `logos trade --config stress.toml --live ...`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.errors import LogosError

SESSION_ID: Final = "stress"
BALANCE: Final = "100000000"

# Tick, lot, contract, price of what is known by name.
_KNOWN: Final = {
    "BTCUSD": ("0.01", "0.01", "1", "60000"),
    "ETHUSD": ("0.01", "0.01", "1", "3000"),
    "XAUUSD": ("0.01", "0.01", "100", "2300"),
}
_OPEN_ORDERS_MAX: Final = 1000
"""More is no limit for real orders (`config.limits`)."""

_ORDERS_A_SECOND_MAX: Final = 10_000
"""As many as a session without money may ever be allowed: what is to be found is what carries."""

_OTHER: Final = ("0.01", "0.01", "1", "100")
_LOTS_MAX: Final = 20
"""The most that a symbol may hold, in lots, or more where more may be open at once: little enough
for the guards to be met."""

KILLS: Final = ("", "switch", "engine", "simulator")
_FAULTS: Final = (
    "unread",
    "ok_lost",
    "lost",
    "late",
    "late_ms",
    "twice",
    "requote",
    "partial",
    "slow_ms",
    "disconnect_every",
    "disconnect_for",
)


class StressError(LogosError):
    """The run cannot begin or go on; the message says why."""


class StressSymbol(msgspec.Struct, frozen=True):
    """One symbol of the simulated terminal, figures as decimal text."""

    name: str
    tick: str
    lot: str
    contract: str
    price: str
    interval_ms: float


class StressPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `faults` are the simulator's shares and times by name (see `logos mt5-sim`), and
    `slow_ms`, the time that each answer of the last symbol takes."""

    symbols: tuple[StressSymbol, ...]
    signals: int
    """Of each symbol; 0: as many as there is time for."""
    seconds: float
    """How long signals are given; 0: until there have been so many."""
    seed: int
    faults: Mapping[str, float] = {}
    kill: str = ""
    kill_after_s: float = 3.0
    away_s: float = 4.0
    """How long a killed simulator stays away."""
    every: int = 1
    """Each symbol signals at each so many prices."""
    reply_timeout_s: float = 2.0
    dead_after_s: float = 15.0
    open_orders_max: int = 48
    """Open orders of each symbol, limit orders that wait included."""
    in_flight: int = 8
    """Market orders that are open at once, over all symbols."""
    ea: str = "logos"
    """Whose words the simulator speaks: see `logos mt5-sim --ea`."""
    is_hedging: bool = False
    """Whether the simulator's account is a hedging one: each order opens a position of its own."""
    latency_ms: float = 0.0
    """What 99 of 100 orders of each symbol must be done within; 0: not judged."""

    @property
    def open_max(self) -> int:
        """Market orders of each symbol that are open at once."""
        return max(1, self.in_flight // len(self.symbols))

    def position_max(self, symbol: StressSymbol) -> Decimal:
        """The most units of a symbol that may be held, in flight included: room for what is open,
        of up to three lots each, and as much again."""
        return max(_LOTS_MAX, 6 * self.open_max) * Decimal(symbol.lot)

    def exposure_max(self, symbol: StressSymbol) -> Decimal:
        """About what that is worth."""
        return self.position_max(symbol) * Decimal(symbol.price) * Decimal(symbol.contract)

    @property
    def gross_max(self) -> Decimal:
        """The limit of all symbols together: about half of what all could hold."""
        return sum((self.exposure_max(each) for each in self.symbols), Decimal(0)) / 2


def make_symbols(text: str, intervals: str) -> tuple[StressSymbol, ...]:
    """Symbols from a list of names or a count, and intervals in ms: "10", or "1-20" spread evenly.

    Raises StressError.
    """
    if text.isdigit():
        names = [f"SYM{number:03d}.s" for number in range(1, int(text) + 1)]
    else:
        names = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not 0 < len(names) <= 1000:
        raise StressError("--symbols: name some (BTCUSD.s,ETHUSD.s) or say how many, up to 1000")
    first, _, last = intervals.partition("-")
    try:
        low_ms, high_ms = float(first), float(last or first)
    except ValueError:
        low_ms = high_ms = 0.0
    if not 0 < low_ms <= high_ms < 1e6:
        raise StressError(f"--interval-ms {intervals!r}: write 10, or 1-20 for a spread")
    step_ms = (high_ms - low_ms) / max(1, len(names) - 1)
    return tuple(
        StressSymbol(name, *_KNOWN.get(name.partition(".")[0], _OTHER), low_ms + index * step_ms)
        for index, name in enumerate(names)
    )


def read_faults(text: str) -> dict[str, float]:
    """Faults from "lost=0.05,late=0.05,disconnect_every=5,slow_ms=2000". Raises StressError."""
    found = {}
    for part in text.split(",") if text else []:
        name, equals, value = part.strip().partition("=")
        try:
            if name not in _FAULTS or not equals:
                raise ValueError
            found[name] = float(value)
        except ValueError:
            raise StressError(
                f"--faults {part!r}: write NAME=NUMBER; there are {', '.join(_FAULTS)}"
            ) from None
    return found


def simulator_arguments(plan: StressPlan, ports: Sequence[int], audit: str) -> list[str]:
    """What `logos mt5-sim` is to be called with."""
    arguments = ["--seed", str(plan.seed), "--balance", BALANCE, "--audit", audit]
    arguments += ["--ports", ",".join(str(port) for port in ports), "--ea", plan.ea]
    if plan.is_hedging:
        arguments.append("--hedging")
    # The published Expert Advisor tells no fees, so books could not agree about them.
    commission = "0" if plan.ea == "published" else "0.07"
    for each in plan.symbols:
        settings = (
            f"tick={each.tick},lot={each.lot},contract={each.contract},price={each.price},"
            f"interval_ms={each.interval_ms:g},commission={commission}"
        )
        arguments += ["--symbol", f"{each.name},{settings}"]
    for name, value in plan.faults.items():
        if name == "slow_ms":
            arguments += ["--slow", f"{plan.symbols[-1].name}={value:g}"]
        else:
            arguments += [f"--{name.replace('_', '-')}", f"{value:g}"]
    return arguments


def settings_text(plan: StressPlan, ports: Sequence[int]) -> str:
    """The session's settings, as the text of a TOML file."""
    url = (
        f"tcp://127.0.0.1:{','.join(str(port) for port in ports)}"
        f"/reply_timeout_s={plan.reply_timeout_s:g},dead_after_s={plan.dead_after_s:g}"
        ",heartbeat_s=1"
    )
    largest = min(max(plan.exposure_max(each) for each in plan.symbols), plan.gross_max)
    tables: dict[str, Mapping[str, Any]] = {
        "session": {"id": SESSION_ID, "seed": plan.seed, "sample_interval_s": 0},
        "strategy": {"name": "logos.stress.strategy:StressStrategy"},
        "strategy.params": {
            "signals": plan.signals,
            "every": plan.every,
            "open_max": plan.open_max,
            "all_open_max": plan.in_flight,
        },
        "account.balances": {"USD": BALANCE},
        "venue": {"name": "mt5", "sandbox": True},
        "live": {
            "feed": "mt5",
            "interval": "tick",
            "url": url,
            "heartbeat_ms": 100,
            "reconcile_every_s": 5,
            "drain_timeout_s": 60,
        },
        # A dead terminal is to be outlived, the operator's switch is not.
        "switch": {"on_engaged": "block" if plan.kill == "simulator" else "halt"},
        "risk": {
            "max_order_notional": str(largest),
            "max_position": "0.01",
            "max_open_orders": plan.open_orders_max,
        },
        "risk.total": {
            "max_drawdown": BALANCE,
            "max_gross_exposure": str(plan.gross_max),
            "max_open_orders": min(plan.open_orders_max * len(plan.symbols), _OPEN_ORDERS_MAX),
            "max_orders": _ORDERS_A_SECOND_MAX,
            "max_refusals": 1000,
        },
        # A dead terminal is to be outlived, and its prices are old then.
        "risk.actions": {"stale_data": "refuse", "refusal_storm": "refuse"},
    }
    for each in plan.symbols:
        tables[f"instruments.{json.dumps(each.name)}"] = {
            "quote": "USD",
            "tick": each.tick,
            "lot": each.lot,
            "min_quantity": each.lot,
            "multiplier": each.contract,
            "settlement": "margin",
            "leverage": 100,
        }
        limit = str(plan.position_max(each))
        tables[f"risk.symbols.{json.dumps(each.name)}"] = {"max_position": limit}
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )

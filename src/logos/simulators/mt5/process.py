"""The simulated terminal as a process: `logos mt5-sim`.

It prints one JSON line with its ports once it can be used, runs until SIGTERM or SIGINT (or for
`--stop-after` seconds), writes its books at the end and leaves with 0. Its audit is a broker's
memory: started again with the same audit and `--resume`, it has the orders and deals it had.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.core.fixed import parse_units
from logos.core.instrument import Instrument, instrument
from logos.errors import DataError
from logos.files import JsonLines
from logos.simulators.mt5.book import money_text
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.market import Prices, recorded_prices, synthetic_prices
from logos.simulators.mt5.simulator import PORT_NAMES, SimOptions, SimSymbol, Simulator

BAD_COMMAND_LINE: Final = 2

# What a symbol is unless the command line says otherwise: tick, lot, contract, price.
_KNOWN: Final = {
    "BTCUSD": ("0.01", "0.01", "1", "60000"),
    "ETHUSD": ("0.01", "0.01", "1", "3000"),
    "XAUUSD": ("0.01", "0.01", "100", "2300"),
    "EURUSD": ("0.00001", "0.01", "100000", "1.1"),
}
_OTHER: Final = ("0.01", "0.01", "1", "100")
_KEYS: Final = frozenset(
    ("commission", "contract", "interval_ms", "lot", "price", "quote", "quotes", "tick")
)


def run(options: argparse.Namespace) -> int:
    """Run the simulator; 0 when it ended as asked, 2 for a bad command line."""
    try:
        symbols = make_symbols(options)
        sim_options = _make_options(options)
        records = _read_audit(options)
        audit = JsonLines(options.audit)
        simulator = Simulator(symbols, sim_options, audit)
        deals = simulator.book.restore(records)
        next_prices = asyncio.run(_live(simulator, options, deals))
    except (ValueError, DataError, OSError, msgspec.MsgspecError) as error:
        print(f"logos mt5-sim: {error}", file=sys.stderr)
        return BAD_COMMAND_LINE
    audit(next_prices)
    audit.close()
    return 0


async def _live(simulator: Simulator, options: argparse.Namespace, deals: int) -> dict[str, Any]:
    """Run until told to stop; the books at the end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await simulator.start()
    hello = {"ports": simulator.ports, "deals": deals, "audit": str(options.audit)}
    print(msgspec.json.encode(hello).decode(), flush=True)
    began_ns = time.process_time_ns()
    if options.stop_after:
        loop.call_later(options.stop_after, stop.set)
    waiting = asyncio.create_task(simulator.wait())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
    finally:
        waiting.cancel()
        stopping.cancel()
        await asyncio.gather(waiting, stopping, return_exceptions=True)
        await simulator.stop()
    return final_books(simulator) | {"cpu_ns": time.process_time_ns() - began_ns}


def final_books(simulator: Simulator) -> dict[str, Any]:
    """What a judge compares: realised profit and position by symbol, and repeated client ids."""
    book = simulator.book
    symbols: dict[str, Any] = {}
    for symbol, market in simulator.terminal.markets.items():
        deals = [deal for deal in book.deals if deal.symbol == symbol]
        symbols[symbol] = {
            "deals": len(deals),
            "volume": market.instrument.quantity_text(book.holdings.net_units(symbol)),
            "realised": money_text(sum(deal.profit for deal in deals)),
            "commission": money_text(sum(deal.commission for deal in deals)),
            "open_profit": money_text(book.profit(symbol, market.bid_units, market.ask_units)),
            "bid": market.instrument.price_text(market.bid_units),
            "ask": market.instrument.price_text(market.ask_units),
        }
    return {
        "kind": "books",
        "requests": simulator.requests,
        "dropped_frames": simulator.dropped,
        "open_orders": len(book.orders),
        "balance": money_text(book.balance),
        "initial_balance": money_text(book.initial_balance),
        "repeated_client_ids": {name: n for name, n in book.client_ids.items() if n > 1},
        "symbols": symbols,
    }


def make_symbols(options: argparse.Namespace) -> dict[str, SimSymbol]:
    """The symbols of the command line. Raises ValueError or DataError."""
    wanted: dict[str, dict[str, str]] = {}
    for name in (part.strip() for part in options.symbols.split(",")):
        if name:
            wanted[name] = {}
    for text in options.symbol:
        name, settings = _symbol_settings(text)
        wanted[name] = settings
    if not wanted:
        raise ValueError("no symbols: name some with --symbols BTCUSD.s,ETHUSD.s")
    return {
        name: _make_symbol(name, settings, options, index)
        for index, (name, settings) in enumerate(wanted.items())
    }


def _symbol_settings(text: str) -> tuple[str, dict[str, str]]:
    """`NAME,key=value,...` taken apart."""
    name, _, rest = text.partition(",")
    settings: dict[str, str] = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if key not in _KEYS or not equals:
            raise ValueError(
                f"--symbol {text!r}: {part!r} is not one of {', '.join(sorted(_KEYS))}"
            )
        settings[key] = value
    return name, settings


def _make_symbol(
    name: str, settings: dict[str, str], options: argparse.Namespace, index: int
) -> SimSymbol:
    tick, lot, contract, price = _KNOWN.get(name.partition(".")[0], _OTHER)
    made = instrument(
        name,
        tick=settings.get("tick", tick),
        lot=settings.get("lot", lot),
        multiplier=settings.get("contract", contract),
        min_quantity=settings.get("lot", lot),
        quote=settings.get("quote", "USD"),
        settlement="margin",
    )
    interval_ms = float(settings.get("interval_ms", options.interval_ms))
    if not 0 < interval_ms < 1e9:
        raise ValueError(f"{name}: an interval of {interval_ms:g} ms; it must be more than 0")
    prices = _make_prices(made, settings, options.seed + index, price)
    commission = settings.get("commission", "0")
    return SimSymbol(
        instrument=made,
        prices=prices,
        interval_s=interval_ms / 1000,
        commission_per_lot=commission,
    )


def _make_prices(made: Instrument, settings: dict[str, str], seed: int, price: str) -> Prices:
    if "quotes" in settings:
        return recorded_prices(made, Path(settings["quotes"]))
    start_units = parse_units(settings.get("price", price), made.price_decimals)
    return synthetic_prices(made, seed, max(1, start_units // made.tick))


def _make_options(options: argparse.Namespace) -> SimOptions:
    ports = tuple(int(port) for port in options.ports.split(","))
    if len(ports) != len(PORT_NAMES) or not all(0 <= port < 65536 for port in ports):
        raise ValueError(f"--ports: four numbers, for {', '.join(PORT_NAMES)}; 0 is any free port")
    retcodes = {int(code): share for code, share in _pairs("--retcode", options.retcode)}
    slow_s = {name: ms / 1000 for name, ms in _pairs("--slow", options.slow)}
    faults = FaultPlan(
        seed=options.seed,
        unread=options.unread,
        ok_lost=options.ok_lost,
        lost=options.lost,
        late=options.late,
        late_s=options.late_ms / 1000,
        twice=options.twice,
        twice_s=options.twice_ms / 1000,
        requote=options.requote,
        partial=options.partial,
        damaged=options.damaged,
        retcodes=retcodes,
        slow_s=slow_s,
        disconnect_every_s=options.disconnect_every,
        disconnect_for_s=options.disconnect_for,
    )
    return SimOptions(
        host=options.host,
        ports=(ports[0], ports[1], ports[2], ports[3]),
        balance=options.balance,
        speed=options.speed,
        faults=faults,
        does_echo=not options.no_echo,
        has_ids=options.ea == "logos" and not options.no_echo,
        in_order=options.in_order,
        by_hand_every_s=options.by_hand_every,
        ea=options.ea,
        timer_s=options.timer_ms / 1000,
        chart=options.chart,
        first_ticket=options.first_ticket,
        is_hedging=options.hedging,
        server_offset_s=options.server_offset,
        curve_folder=options.curve,
    )


def _pairs(name: str, given: list[str]) -> list[tuple[str, float]]:
    found = []
    for text in given:
        key, equals, value = text.rpartition("=")
        if not equals:
            raise ValueError(f"{name} {text!r}: write it as KEY=NUMBER")
        found.append((key, float(value)))
    return found


def _read_audit(options: argparse.Namespace) -> list[dict[str, Any]]:
    """What an earlier run wrote, if the simulator is resumed."""
    path: Path = options.audit
    if not path.exists() or not path.stat().st_size:
        return []
    if not options.resume:
        raise ValueError(f"{path} holds an audit already: continue it (--resume) or name another")
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]

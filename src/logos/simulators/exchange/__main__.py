"""`python -m logos.simulators.exchange`: a recorded market played as a local exchange."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from logos.core.types import NS_PER_SECOND
from logos.errors import DataError
from logos.simulators.exchange import playback, server
from logos.simulators.exchange.faults import Fault


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m logos.simulators.exchange`: play a recording back until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m logos.simulators.exchange", description=server.__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of quotes and trades")
    parser.add_argument("--symbols", metavar="A,B", help="only these")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--speed", type=_speed, default=1.0, help="times as fast (default: 1)")
    parser.add_argument(
        "--fault-rate", type=_rate, default=0.0, metavar="R", help="part of requests that fail"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the failures (default: 1)")
    options = parser.parse_args(arguments)
    symbols = options.symbols.split(",") if options.symbols else None
    try:
        exchange = playback.exchange_of(options.data, options.speed, symbols)
    except DataError as error:
        print(f"exchange: {error}", file=sys.stderr)
        return 1

    odds = dict.fromkeys(Fault, options.fault_rate / len(Fault))
    exchange.faults.roll(Random(options.seed), odds)  # noqa: S311 - reproducible, not secret

    async def serve() -> None:
        await exchange.start(options.port)
        ends_s = (exchange.market.last_ns - exchange.market.now_ns) / NS_PER_SECOND
        names = ", ".join(sorted(exchange.market.listings))
        print(f"{exchange.url}  {names}; the recording lasts {ends_s:.0f} s", flush=True)
        try:
            await playback.play(exchange)
        finally:
            await exchange.close()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
    return 0


def _speed(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"a number from 0.01 to 10000, not {text}")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"a number from 0 to 1, not {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())

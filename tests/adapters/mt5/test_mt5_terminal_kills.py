"""The terminal's process is killed again and again: the reader of prices and the venue live on."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import WallClock, coin, lets_out
from waiting import until

from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import Endpoints, GatewaySettings
from logos.adapters.mt5.links import SymbolLinks
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.venue import Mt5Venue
from logos.cli.main import main
from logos.venues.contract import Unavailable

SYMBOL = "BTCUSD.s"
KILLS = 15
IMPATIENT = GatewaySettings(reply_timeout_s=0.1, heartbeat_s=0.05, dead_after_s=0.2)


def free_ports() -> list[int]:
    with (
        closing(socket.socket()) as a,
        closing(socket.socket()) as b,
        closing(socket.socket()) as c,
        closing(socket.socket()) as d,
    ):
        made = [a, b, c, d]
        for each in made:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in made]


class Terminal:
    """A simulator that can be killed and started again, quickly: its process is forked from one
    that has everything imported."""

    def __init__(self, ea: str, folder: Path) -> None:
        self.ports = free_ports()
        self._context: Any = multiprocessing.get_context("forkserver")
        preloaded = ["logos.cli.main", "logos.cli.mt5_sim", "logos.simulators.mt5.process"]
        self._context.set_forkserver_preload(preloaded)
        self._arguments = ["--symbol", f"{SYMBOL},interval_ms=4", "--ea", ea, "--timer-ms", "1"]
        self._arguments += ["--ports", ",".join(map(str, self.ports))]
        self._folder = folder
        self._lives = 0
        self._process: Any = None

    def start(self) -> None:
        self._lives += 1
        audit = ["--audit", str(self._folder / f"audit-{self._lives}.jsonl")]
        arguments = ["mt5-sim", *self._arguments, *audit]
        self._process = self._context.Process(target=main, args=(arguments,))
        self._process.start()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            assert self._process.exitcode == -signal.SIGKILL


@pytest.mark.campaign
@pytest.mark.timeout(120)
@pytest.mark.parametrize("ea", ["logos", "published"])
def test_no_kill_of_the_terminal_ends_the_reader_of_prices_or_the_venue(
    ea: str, tmp_path: Path
) -> None:
    terminal = Terminal(ea, tmp_path)
    generator = Random(20261130)

    async def scenario() -> None:
        system, data, live, streaming = terminal.ports
        ends = Endpoints(host="127.0.0.1", system=system, data=data, live=live, streaming=streaming)
        deaths: list[str] = []
        ignore = lambda _: None  # noqa: E731
        gateway = Gateway(ends, IMPATIENT, WallClock(), ignore, deaths.append, lets_out)
        links = SymbolLinks(gateway, [SYMBOL], 4)
        link = links.links[SYMBOL]
        known = {SYMBOL: Mt5VenueSymbol(coin(), SYMBOL)}
        venue = Mt5Venue(
            gateway, known, WallClock(), session_id="run", is_sandbox=True, settle_s=0.0
        )
        answers = [0]

        async def ask_for_ever() -> None:
            while True:
                with suppress(Unavailable):
                    await venue.positions()
                    answers[0] += 1
                priced.clear()
                await priced.wait()

        async def hear_for_ever() -> None:
            fields = {"action": "CONFIG", "symbol": SYMBOL, "chartTF": "TICK"}
            while True:
                with suppress(OSError):
                    await link.request(SYMBOL, fields)
                    while await link.next_live(0.2) is not None:
                        prices[0] += 1
                        priced.set()

        prices, priced = [0], asyncio.Event()
        terminal.start()
        while True:
            with suppress(OSError):
                await gateway.open()
                break
        tasks = [
            asyncio.create_task(links.run()),
            asyncio.create_task(ask_for_ever()),
            asyncio.create_task(hear_for_ever()),
        ]
        for _ in range(KILLS):
            heard, answered = prices[0], answers[0]
            await until(lambda: prices[0] > heard + 5, "prices", tasks[0])  # noqa: B023
            await until(lambda: answers[0] > answered + 5, "answers", tasks[1])  # noqa: B023
            more = heard + 5 + generator.randrange(20)
            await until(lambda: prices[0] > more, "some more prices", tasks[0])  # noqa: B023
            terminal.kill()
            terminal.start()
        heard, answered = prices[0], answers[0]
        await until(lambda: prices[0] > heard, "prices after the last kill", tasks[0])
        await until(lambda: answers[0] > answered, "answers after the last kill", tasks[1])
        assert [task.done() for task in tasks] == [False] * 3
        assert not any("ended" in reason for reason in deaths)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gateway.close()

    try:
        asyncio.run(scenario())
    finally:
        terminal.kill()

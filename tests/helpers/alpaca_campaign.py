"""Random sessions through the real alpaca-py against the simulated broker, each judged.

The stories are those of `exchange_campaign`, at a broker of shares or of coins: `AlpacaVenue` as it
is, alpaca-py as it is, and `logos.simulators.alpaca` behind it, without sockets and threads. The
judge is the same.

    python tests/helpers/alpaca_campaign.py --what shares --sequences 1000 --seed 1
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random

from alpaca_side import KEY, SECRET, BrokerSide
from alpaca_wire import hand_over
from place_story import PlaceStory
from venue_campaign import parser_of, play, play_seeds
from venue_story import ShownSwitch
from venue_tools import Word

from logos.adapters.alpaca.connection import Connection
from logos.adapters.alpaca.venue import AlpacaVenue
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument
from logos.core.types import ReportKind
from logos.journal.surveys import Survey
from logos.session.venue.taking_up import take_up
from logos.testing.builders import fee_schedule

WHAT = ("shares", "coins")
_TIMEOUT_S = 5.0


class AlpacaStory(PlaceStory):
    """A story at the broker; `SYMBOL` is set by who runs it."""

    side: BrokerSide

    def new_place(self, random: Random) -> BrokerSide:
        return BrokerSide("coins" if "/" in self.SYMBOL else "shares", random, self.clock)

    def instrument(self) -> Instrument:
        rate = "0.0025" if self.side.is_coin else "0"
        return instrument(
            self.SYMBOL,
            tick="0.01",
            lot=self.side.listing.lot,
            quote="USD",
            fees=fee_schedule(maker=rate, taker=rate, decimals=9),
        )

    def new_core(self, switch: ShownSwitch) -> TradingCore:
        core = super().new_core(switch)
        for ledger in core.order_manager.account.ledgers:
            ledger.is_charged = True
        return core

    def new_venue(self, traded: Instrument) -> AlpacaVenue:
        side = self.side
        venue = AlpacaVenue(
            {self.SYMBOL: traded},
            self.clock,
            Random(self.outcome.seed + 3),
            key=Word(KEY),
            secret=Word(SECRET),
            url="http://127.0.0.1:1",
            timeout_s=_TIMEOUT_S,
            session_id="test",
        )
        connection = Connection(
            Word(KEY),
            Word(SECRET),
            sandbox=True,
            url="http://127.0.0.1:1",
            timeout_s=_TIMEOUT_S,
            redactor=venue._redactor,
            backoff=venue._backoff,
            budget=venue._budget,
        )
        hand_over(connection, side.exchange, side.way, self.clock, _TIMEOUT_S)
        venue._questions.connection = connection
        venue.order_events = lambda: side.news(venue._ids)  # type: ignore[method-assign]
        return venue

    async def begin(self) -> None:
        if self.batches and self.baseline is not None:
            view = CoreView(self.core.order_manager)
            fills = self.heard(ReportKind.FILLED)
            take_up(self.venue, view, self.baseline, Survey(0, self.began_ns, fills, True))
        await super().begin()


def story_of(what: str) -> type[AlpacaStory]:
    """The stories of shares, or of coins."""
    return type("Story", (AlpacaStory,), {"SYMBOL": "BTC/USD" if what == "coins" else "AAPL"})


def run_all(what: str, seeds: Sequence[int], stop: bool = False) -> tuple[int, Counter[str]]:
    """How many sequences went wrong, told as they come, and what happened."""
    again = f"make alpaca-campaign WHAT={what} SEQUENCES=1 SEED="
    return play_seeds(story_of(what), seeds, again, stop)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--what", choices=WHAT, help="what is traded (default: each)")
    options = parser.parse_args()
    failed = 0
    for what in WHAT:
        if options.what in (None, what):
            failed += play(f"alpaca {what}: ", partial(run_all, what), options)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

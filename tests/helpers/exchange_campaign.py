"""Random sessions through the real ccxt against the simulated exchanges, each judged.

The stories are those of `venue_campaign`; the venue is a profile's: `CcxtVenue` as it is, ccxt as
it is, and the exchange's dialect behind it, without sockets. Requests are lost before and after
they were handled, turned away, answered with half an answer or with words that nobody knows; orders
are not found for a moment; they fill in parts at random; the process dies and begins again without
any memory of ids. In the end the exchange calms down and the judge compares:

- no intent has more than one order at the exchange, whatever was lost;
- what is held there never went beyond `max_position`, at any moment;
- wallets, fees and open orders are the exchange's, exactly, or the session has stopped with the
  reason on record;
- nothing of others was touched; the recorded inputs in a fresh core give the same records.

    python tests/helpers/exchange_campaign.py --exchange kraken --sequences 1000 --seed 1
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random

from ccxt_copies import constructed_once
from exchange_side import ExchangeSide
from exchange_wire import Wire
from place_story import PlaceStory
from quick_signatures import quick_signatures
from round_trips import CASES, Case
from venue_campaign import parser_of, play, play_seeds
from venue_tools import Word

from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.instrument import Instrument, instrument
from logos.testing.builders import fee_schedule


class ExchangeStory(PlaceStory):
    """A story at a profile's exchange; `CASE` is set by who runs it."""

    CASE: Case
    SYMBOL = "COIN"

    def __init__(self, seed: int) -> None:
        self.is_paced = Random(seed + 4).random() < 0.3
        """Whether requests keep to what the exchange says it bears."""
        super().__init__(seed)

    side: ExchangeSide

    def new_place(self, random: Random) -> ExchangeSide:
        return ExchangeSide(self.CASE, random, self.clock)

    def instrument(self) -> Instrument:
        case = self.CASE
        return instrument(
            "COIN",
            base="BTC",
            quote=case.quote,
            tick=case.tick,
            lot=case.lot,
            min_quantity=case.lot,
            fees=fee_schedule(maker="0.001", taker="0.001", decimals=8),
        )

    def new_venue(self, traded: Instrument) -> CcxtVenue:
        case = self.CASE
        password = Word(case.keys.password) if case.keys.password else None
        with constructed_once(case.exchange_id):
            venue = CcxtVenue(
                case.exchange_id,
                {"COIN": traded},
                self.clock,
                Random(self.outcome.seed + 3),
                key=Word(case.keys.key),
                secret=Word(case.keys.secret),
                password=password,
                sandbox=False,
                url="http://127.0.0.1:1",
                session_id="test",
                limit_rate=self.is_paced,
            )
        streams = self.side.streams
        if venue._profile.stream is not None and streams.kind != "none":
            venue.order_events = lambda: streams.news(venue._ids)  # type: ignore[method-assign]
        venue._exchange.ssl_context = False
        venue._exchange.session = Wire(self.side.exchange, self.side.way.wait)
        return venue


def story_of(case: Case) -> type[ExchangeStory]:
    """The stories at one exchange."""
    return type("Story", (ExchangeStory,), {"CASE": case})


def run_all(case: Case, seeds: Sequence[int], stop: bool = False) -> tuple[int, Counter[str]]:
    """How many sequences went wrong at an exchange, told as they come, and what happened."""
    again = f"make venue-campaign EXCHANGE={case.exchange_id} SEQUENCES=1 SEED="
    with quick_signatures():
        return play_seeds(story_of(case), seeds, again, stop)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--exchange", help="its ccxt id (default: each of the suite's)")
    options = parser.parse_args()
    failed = 0
    for case in CASES:
        if options.exchange in (None, case.exchange_id):
            failed += play(f"{case.exchange_id}: ", partial(run_all, case), options)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

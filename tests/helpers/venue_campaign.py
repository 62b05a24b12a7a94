"""Random sessions against a venue that misbehaves, each judged by what may never happen.

One sequence: a core whose strategy makes random orders, with link and reconciler, trades at a
`FakeVenue` with a random plan of faults, on a clock that is moved by hand. The kill switch is
thrown, the session crashes and is built again from what was recorded, strangers trade on the
account. In the end the venue calms down, the session stops, and the judge compares:

- no client order id reached the venue twice, none was submitted again after an unknown outcome;
- no submit began once the authority had said ENGAGED, or REDUCE_ONLY unless it reduces;
- positions, money, fees, fills and open orders are the venue's, exactly. Only an outside change, or
  an order that arrived after it had been denied for longer than the link waits, excuses a
  difference; then the switch is engaged, with the reason on record;
- trading stops without cause only where two orders of a symbol in a row never came to the venue;
- reconciling twice says the same and changes nothing;
- the recorded inputs in a fresh core give the same records.

    python tests/helpers/venue_campaign.py --sequences 10000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal

import msgspec
from story_loop import run_story
from venue_story import Outcome, ShownSwitch, Story
from which_core import core_words

from logos.core.fixed import to_decimal
from logos.core.messages import Report
from logos.core.records import GuardRecord, PaperFillRecord
from logos.core.types import Code, ReportKind, SwitchState
from logos.testing.venue_core import outbox_of


class JudgedStory(Story):
    """A sequence and what of it is wrong; `run` gives its outcome."""

    async def run(self) -> Outcome:
        """Play it, judge it, end its tasks."""
        await self.play()
        await self.judge()
        await self.end_tasks()
        return self.outcome

    async def judge(self) -> None:
        say = self.outcome.wrong.append
        first = await self.reconcile()
        told = len(self.records)
        second = await self.reconcile()
        if first != second:
            say(f"reconciling twice: {first}, then {second}")
        if self.records[told:]:
            say(f"reconciling again changed something: {self.records[told:]}")
        if twice := self.sent_twice():
            say(twice)
        trouble = [
            record
            for record in self.records
            if isinstance(record, GuardRecord) and record.code is Code.RECONCILIATION
        ]
        differences = self.compare()
        ghosts = self.ghosts()
        if differences and not (trouble and (self.outside or ghosts)):
            say(f"differs, unexcused: {differences}; stopped by {trouble}")
        if trouble and self.switch.authority() is not SwitchState.ENGAGED:
            say("a difference was reported and trading goes on")
        if trouble and not self.switch.why():
            say("trading was stopped without a reason")
        if outbox_of(self.core).open and not trouble:
            say(f"open in the core at the end: {list(outbox_of(self.core).open)}")
        alarms = [record for record in trouble if not self.is_second_loss(record)]
        is_expected = self.is_extreme or self.outside or ghosts
        if alarms and not is_expected:
            say(f"a false alarm: {[record.detail for record in alarms]}")
        self.check_replay()
        self.count(trouble, differences, ghosts)

    def sent_twice(self) -> str:
        """What reached the venue twice; empty when nothing did."""
        venue = self.venue
        twice = [name for name, times in venue.reached.items() if times > 1]
        if twice or venue.resent:
            return f"sent twice: {twice}, again after an unknown outcome: {venue.resent}"
        return ""

    def arrived(self) -> set[str]:
        """The client ids of the orders that reached the venue."""
        return set(self.venue.reached)

    async def reconcile(self) -> list[str]:
        found = await self.within(self.reconciler.once())
        self.drain()
        assert isinstance(found, list)
        return found

    def ghosts(self) -> list[str]:
        """Orders at the venue that the core was told had never come there."""
        left = []
        for name, order in self.venue.books.orders.items():
            booked = sum(
                record.quantity_units
                for record in self.records
                if isinstance(record, PaperFillRecord) and record.client_order_id == name
            )
            if order.filled != booked or order.is_open:
                left.append(name)
        return left if self.is_extreme else []

    def is_second_loss(self, alarm: GuardRecord) -> bool:
        """Whether it says that two orders in a row were denied, and neither came to the venue."""
        if "in a row" not in alarm.detail:
            return False
        denied = [
            event.client_order_id
            for batch in self.batches
            for event in batch.events or ()
            if isinstance(event, Report)
            and event.kind is ReportKind.NOT_SENT
            and "no such order" in event.detail
        ]
        return bool(denied) and not self.arrived() & {*denied, alarm.subject}

    def compare(self) -> list[str]:
        """In what the session's books differ from the venue's."""
        found = []
        books = self.venue.books
        account = self.core.order_manager.account
        perp = self.core.order_manager.states["PERP"]
        for wallet in account.wallets:
            if wallet.asset == "PBASE":
                continue
            outside = self.outside.get(wallet.asset, Decimal(0))
            mine = to_decimal(wallet.balance, wallet.decimals)
            theirs = books.balances.get(wallet.asset, Decimal(0)) - outside
            if wallet.asset == "USD":
                # Fills of two orders may be booked in another order than they happened: what is
                # realised by then differs by what the open lots cost, and by nothing else.
                mine -= to_decimal(perp.inventory.cost, perp.ledger.decimals)
                theirs -= books.cost("PERP")
            if mine != theirs:
                found.append(f"{wallet.asset}: {mine} here, {theirs} there")
        position = perp.inventory.position
        if position != books.positions.get("PERP", 0):
            found.append(f"PERP: {position} here, {books.positions.get('PERP', 0)} there")
        for symbol, book in self.core.order_manager.states.items():
            paid = sum((f.fill.fee for f in books.fills if f.fill.symbol == symbol), Decimal(0))
            if to_decimal(book.fees, book.ledger.decimals) != paid:
                found.append(f"{symbol}: fees {book.fees} here, {paid} there")
        working = [each.client_order_id for each in books.all_orders if each.is_open]
        ours = [name for name in working if name]
        if ours:
            found.append(f"still open there: {ours}")
        if len(working) - len(ours) != self.strangers:
            found.append("a stranger's order was touched")
        return found

    def check_replay(self) -> None:
        core, records = self.again(ShownSwitch())
        core.order_manager.account.ledgers[0].check()
        if msgspec.json.encode(records) != msgspec.json.encode(self.records):
            self.outcome.wrong.append("a replay of the recorded inputs gives other records")

    def count(
        self, trouble: Sequence[GuardRecord], differences: list[str], ghosts: list[str]
    ) -> None:
        counts = self.outcome.counts
        counts["orders"] += self.core.order_manager.order_count
        counts["fills"] += self.core.order_manager.fill_count
        counts["reached"] += len(self.arrived())
        counts["sequences stopped by a difference"] += bool(trouble)
        counts["... and books equal in the end all the same"] += bool(trouble and not differences)
        counts["sequences with ghosts"] += bool(ghosts)
        kinds = Counter(
            event.kind.value
            for batch in self.batches
            for event in batch.events or ()
            if isinstance(event, Report)
        )
        for kind, times in kinds.items():
            counts[f"reports {kind}"] += times


def run_sequence(seed: int, kind: type[JudgedStory] = JudgedStory) -> Outcome:
    """One sequence by its seed, in an event loop of its own."""

    async def body() -> Outcome:
        sequence = kind(seed)
        try:
            return await sequence.run()
        except Exception as error:
            sequence.outcome.wrong.append(f"{type(error).__name__}: {error}")
            with suppress(Exception):
                await sequence.end_tasks()
            return sequence.outcome

    return run_story(body())


def play_seeds(
    kind: type[JudgedStory], seeds: Sequence[int], again: str, stop: bool = False
) -> tuple[int, Counter[str]]:
    """How many sequences went wrong, and what happened in all of them. Each that did is told as it
    comes, with `again` and its seed: the command that plays it once more."""
    counts: Counter[str] = Counter()
    wrong = 0
    for seed in seeds:
        outcome = run_sequence(seed, kind)
        counts += outcome.counts
        if outcome.wrong:
            wrong += 1
            print(f"{again}{seed}:", *outcome.wrong, sep="\n  ", flush=True)
            if stop:
                break
    return wrong, counts


def parser_of(text: str, sequences: int = 100) -> argparse.ArgumentParser:
    """The options that all these campaigns have; `text` is what one says of itself."""
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=sequences, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="the first sequence's seed")
    parser.add_argument("--stop", action="store_true", help="stop at the first that goes wrong")
    return parser


def play(
    title: str,
    run_all: Callable[[Sequence[int], bool], tuple[int, Counter[str]]],
    options: argparse.Namespace,
) -> int:
    """Play what the options say, and print what came of it. How many went wrong."""
    began = time.monotonic()
    seeds = range(options.seed, options.seed + options.sequences)
    wrong, counts = run_all(seeds, options.stop)
    took_s = time.monotonic() - began
    print(f"{title}{len(seeds)} sequences, {wrong} wrong, {took_s:.0f} s; {core_words()}")
    for name, number in sorted(counts.items()):
        print(f"  {name}: {number}")
    return wrong


def run_all(seeds: Sequence[int], stop: bool = False) -> tuple[int, Counter[str]]:
    """How many sequences went wrong, told as they come, and what happened."""
    return play_seeds(JudgedStory, seeds, "seed ", stop)


def main() -> int:
    return 1 if play("", run_all, parser_of(__doc__, 300).parse_args()) else 0


if __name__ == "__main__":
    sys.exit(main())

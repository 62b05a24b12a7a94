"""Whether a table of shards can be traded as it stands, and the settings of one shard.

A symbol that is in no shard would be traded by nobody, and one in two shards by two: both are
refused, as is a partition that two would read, and budgets that come to more than the total.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from logos.config.settings import Config
from logos.config.tables.coordinator import CoordinatorBackend, KillSwitchSettings
from logos.config.tables.kafka import ShipKafkaSettings
from logos.config.tables.live import FeedName
from logos.config.tables.shards import ShardSettings, ShardsSettings, Takeover
from logos.config.terms.coordinator import coordinator_of
from logos.errors import ConfigError

T = TypeVar("T")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,23}")
_SHOWN_MAX: Final = 5


def shards_of(config: Config) -> ShardsSettings:
    """The table of shards. Raises ConfigError when there is none."""
    if isinstance(config.shards, msgspec.UnsetType):
        raise ConfigError("there is no [shards] in the settings: see docs/SCALE.md")
    return config.shards


def ship_of(config: Config) -> ShipKafkaSettings:
    """Where sessions are shipped to; without brokers where nothing says that."""
    return ShipKafkaSettings() if isinstance(config.ship, msgspec.UnsetType) else config.ship.kafka


def shard_problems(config: Config) -> list[str]:
    """Everything that is wrong with the table of shards, a text each."""
    if isinstance(config.shards, msgspec.UnsetType):
        return []
    return [f"shards.{each}" for each in _problems(config, config.shards)]


def _problems(config: Config, shards: ShardsSettings) -> Iterator[str]:
    if not shards.folder:
        yield "folder is empty: name storage that every machine of the fleet reaches"
    if not shards.table:
        yield "table has no shard"
    for name, each in shards.table.items():
        yield from _shard_problems(name, each, config)
    yield from _symbol_problems(shards, config)
    yield from _partition_problems(shards)
    budgets = sum((each.budget for each in shards.table.values()), Decimal(0))
    if shards.total <= 0:
        yield f"total is above 0, not {shards.total:f}"
    elif budgets > shards.total:
        yield f"table: the budgets add up to {budgets:f}, and shards.total is {shards.total:f}"
    yield from _surroundings(config)


def _shard_problems(name: str, each: ShardSettings, config: Config) -> Iterator[str]:
    where = f"table.{name}"
    if not _NAME.fullmatch(name):
        yield f"{where}: a shard's name is 1 to 24 letters, digits and '_'"
    if not each.symbols:
        yield f"{where}.symbols is empty"
    if each.budget <= 0:
        yield f"{where}.budget is above 0, not {each.budget:f}"
    if each.budget_max is not None and each.budget_max < each.budget:
        yield f"{where}.budget_max ({each.budget_max:f}) is below its budget ({each.budget:f})"
    is_kafka = config.live.feed is FeedName.KAFKA
    if is_kafka and not each.partitions:
        yield f"{where}.partitions is empty: no price would come"
    if each.partitions and not is_kafka:
        yield f'{where}.partitions go with live.feed = "kafka"'
    if any(number < 0 for number in each.partitions):
        yield f"{where}.partitions are numbers from 0 on"


def _symbol_problems(shards: ShardsSettings, config: Config) -> Iterator[str]:
    named = Counter(symbol for each in shards.table.values() for symbol in each.symbols)
    known = config.data.symbols or list(config.instruments)
    for symbol, times in named.items():
        if times > 1:
            owners = [name for name, each in shards.table.items() if symbol in each.symbols]
            yield (
                f"table gives the symbol {symbol!r} {times} times ({', '.join(owners)}): keep one, "
                "or two sessions would trade it"
            )
        if symbol not in known:
            near = difflib.get_close_matches(symbol, known, n=1)
            hint = f": did you mean {near[0]!r}?" if near else ": add it to [instruments]"
            yield f"table names the symbol {symbol!r}, which is not traded{hint}"
    left_out = [symbol for symbol in known if symbol not in named]
    if left_out:
        yield (
            f"table leaves out {_listed(left_out)}: nobody would trade {_it(left_out)}; give each "
            "to a shard"
        )


def _partition_problems(shards: ShardsSettings) -> Iterator[str]:
    read = Counter(number for each in shards.table.values() for number in each.partitions)
    for number, times in read.items():
        if times > 1:
            owners = [name for name, each in shards.table.items() if number in each.partitions]
            yield f"table gives partition {number} {times} times ({', '.join(owners)}): keep one"


def _surroundings(config: Config) -> Iterator[str]:
    """What else the settings say that a fleet of shards cannot keep."""
    coordinator = coordinator_of(config)
    if coordinator is None:
        yield "table needs [killswitch.coordinator]: the claims to shards are kept there"
    elif coordinator.backend is not CoordinatorBackend.ETCD:
        yield (
            'table needs killswitch.coordinator.backend = "etcd": a claim that Redis confirmed '
            "may be gone after a failover"
        )
    elif not isinstance(coordinator.shard, msgspec.UnsetType):
        yield "table: killswitch.coordinator.shard is written by `logos fleet start`; take it out"
    ship = ship_of(config)
    if shards_of(config).takeover is Takeover.SHIPPED and not (ship.brokers and ship.inputs):
        yield (
            'takeover = "shipped" needs [ship.kafka] with brokers and inputs = true: without the '
            "recorded inputs nobody can go on with a session"
        )
    if config.live.feed is FeedName.NONE:
        yield "table needs live.feed: shards are live sessions"
    if config.venue.live:
        yield (
            "table with venue.live: shards trade on paper only; what a venue does with the orders "
            "of an owner that stood still is not shown yet"
        )
    if config.session.id:
        yield "table: session.id is FLEET-SHARD for each shard; take it out"
    if config.risk.total.max_gross_exposure:
        yield "table: risk.total.max_gross_exposure is each shard's budget; take it out"


def refuse_shards(config: Config) -> None:
    """Raise ConfigError for settings of a whole table of shards: no one session trades them."""
    if not isinstance(config.shards, msgspec.UnsetType):
        raise ConfigError(
            "these are the settings of shards, each a session of its own: logos fleet plan, then "
            "logos fleet start, each with --config FILE"
        )


def shard_id(config: Config, name: str) -> str:
    """The id of a shard's session. Raises ConfigError."""
    coordinator = coordinator_of(config)
    fleet = "" if coordinator is None else coordinator.fleet
    return f"{fleet.replace('.', '-')[:36]}-{name}"


def shard_config(config: Config, name: str) -> Config:
    """The settings of the session of shard `name`. Raises ConfigError for one that is not there."""
    shards, coordinator = shards_of(config), coordinator_of(config)
    if name not in shards.table or coordinator is None:
        near = difflib.get_close_matches(name, shards.table, n=1) or list(shards.table)
        raise ConfigError(f"there is no shard {name!r} in the table: {', '.join(near)}")
    own = shards.table[name]
    chosen = set(own.symbols)
    kafka = config.live.kafka
    if own.partitions and not isinstance(kafka, msgspec.UnsetType):
        kafka = msgspec.structs.replace(kafka, partitions=sorted(own.partitions))
    replace = msgspec.structs.replace
    most = own.budget if own.budget_max is None else own.budget_max
    return replace(
        config,
        session=replace(config.session, id=shard_id(config, name)),
        data=replace(config.data, symbols=_only(config.data.symbols, chosen)),
        instruments=_of(config.instruments, chosen),
        orders=replace(config.orders, symbols=_of(config.orders.symbols, chosen)),
        risk=replace(
            config.risk,
            symbols=_of(config.risk.symbols, chosen),
            total=replace(config.risk.total, max_gross_exposure=most),
        ),
        # The next owner goes on with the session of one that was cut off: it may not have ended.
        switch=replace(config.switch, on_engaged="block"),
        live=replace(config.live, kafka=kafka, markets=_of(config.live.markets, chosen)),
        killswitch=KillSwitchSettings(coordinator=replace(coordinator, shard=name)),
        shards=msgspec.UNSET,
    )


def _of(table: dict[str, T], chosen: Iterable[str]) -> dict[str, T]:
    return {symbol: each for symbol, each in table.items() if symbol in chosen}


def _only(symbols: list[str], chosen: Iterable[str]) -> list[str]:
    return [symbol for symbol in symbols if symbol in chosen]


def _listed(symbols: list[str]) -> str:
    words = ", ".join(repr(each) for each in symbols[:_SHOWN_MAX])
    more = len(symbols) - _SHOWN_MAX
    return f"{words} and {more} more" if more > 0 else words


def _it(symbols: list[str]) -> str:
    return "it" if len(symbols) == 1 else "them"

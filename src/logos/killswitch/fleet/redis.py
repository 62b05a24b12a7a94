"""Redis as a coordinator: best effort, and it says so.

Redis replicates asynchronously. A master that is cut off confirms a kill that the next master has
never heard of, and an engine on the side of the old one goes on reading it. So nothing here is
guaranteed; what can be done is done. Each renewal writes, so that a master which has lost the
replicas that its `min-replicas-to-write` asks for gives no permit. And whoever answers is known by
the id of its run: another server in its place, after a failover or a restart, is another cluster,
which engages every engine that hears of it.

The values are those of etcd. The compare-and-set is WATCH and EXEC; a change is announced on a
channel of the switch's name, which only hastens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import (
    MARGIN_NS,
    CoordinatorError,
    EngineEntry,
    FleetRecord,
    Reading,
    ValueDamagedError,
    decode_entry,
    encode,
    engines_prefix,
    switch_key,
)
from logos.killswitch.fleet.store import Coordinator, Polled

T = TypeVar("T")

_SCAN_COUNT: Final = 500
_MESSAGE_CHARACTERS_MAX: Final = 200


class RedisStore:
    """The switch of one fleet in Redis."""

    limits: Final = (
        "best effort: Redis replicates asynchronously, and a kill that it has confirmed can be "
        "lost in a failover; etcd keeps what it confirms (docs/FLEET.md)"
    )

    def __init__(self, terms: Coordinator, clock: Callable[[], int] = boot_ns) -> None:
        """Connects to nobody yet. Raises CoordinatorError when the TLS files cannot be used."""
        self._terms = terms
        self._clock = clock
        self._switch = switch_key(terms.fleet)
        self._clients = _clients(terms)
        self._listeners = _clients(terms)
        self._first = 0
        self._listening: Any = None
        self._listener = 0

    # ---- what a coordinator does ----

    def poll(self, entry: EngineEntry) -> Polled:
        """As `Store.poll`."""
        began_ns = self._clock()
        lease_ns = self._terms.lease_ns
        key = engines_prefix(self._terms.fleet) + entry.token
        value = encode(entry)

        def renew(client: Any) -> Reading:
            with client.pipeline(transaction=True) as batch:
                batch.set(key, value, px=lease_ns // 1_000_000)
                return self._reading(batch)

        return Polled(self._ask(renew), began_ns + lease_ns - MARGIN_NS)

    def read(self) -> Reading:
        """As `Store.read`, of a master that believes itself one."""

        def look(client: Any) -> Reading:
            with client.pipeline(transaction=True) as batch:
                return self._reading(batch)

        return self._ask(look)

    def swap(self, record: FleetRecord, revision: int) -> int:
        """As `Store.swap`."""
        value = encode(record)

        def compare_and_set(client: Any) -> int:
            with client.pipeline(transaction=True) as batch:
                batch.watch(self._switch)
                if _revision(batch.get(self._switch)) != revision:
                    return 0
                batch.multi()
                batch.set(self._switch, value)
                batch.publish(self._switch, value)
                try:
                    batch.execute()
                except redis.WatchError:
                    return 0
            return _revision(value)

        return self._ask(compare_and_set)

    def engines(self) -> Sequence[EngineEntry]:
        """As `Store.engines`."""
        prefix = engines_prefix(self._terms.fleet)

        def entries(client: Any) -> list[EngineEntry]:
            names = sorted(set(client.scan_iter(match=f"{prefix}*", count=_SCAN_COUNT)))
            found = []
            for name, value in zip(names, client.mget(names) if names else (), strict=True):
                if value is None:
                    continue  # its lease ended meanwhile
                try:
                    found.append(decode_entry(value))
                except ValueDamagedError as error:
                    raise CoordinatorError(f"the entry {name.decode()} {error}") from None
            return found

        return self._ask(entries)

    def wait(self, timeout_s: float) -> bool:
        """As `Store.wait`."""
        try:
            if self._listening is None:
                self._listener = (self._listener + 1) % len(self._listeners)
                listening = self._listeners[self._listener].pubsub()
                listening.subscribe(self._switch)
                self._listening = listening
            message = self._listening.get_message(timeout=timeout_s)
        except (redis.RedisError, OSError, ValueError, AttributeError):
            # The last two: `close` has closed the connection while it was read.
            self._listening = None
            return False
        return message is not None and message["type"] == "message"

    def close(self) -> None:
        """As `Store.close`."""
        for each in (*self._clients, *self._listeners):
            with suppress(redis.RedisError, OSError):
                each.close()

    # ---- parts ----

    def _reading(self, batch: Any) -> Reading:
        """What the switch is, and who says so, as the last commands of a transaction."""
        batch.get(self._switch)
        batch.info("server")
        batch.info("replication")
        value, server, replication = batch.execute()[-3:]
        if replication["role"] != "master":
            raise redis.ReadOnlyError("not a master")
        position = int(replication["master_repl_offset"])
        return Reading(str(server["run_id"]), position, value, _revision(value))

    def _ask(self, work: Callable[[Any], T]) -> T:
        """What the first endpoint that answers says. Raises CoordinatorError."""
        problems = []
        for number in range(len(self._clients)):
            at = (self._first + number) % len(self._clients)
            try:
                answer = work(self._clients[at])
            except CoordinatorError:
                raise
            except (redis.RedisError, OSError, ValueError, KeyError, TypeError) as error:
                words = " ".join(str(error).split())[:_MESSAGE_CHARACTERS_MAX]
                problems.append(f"{self._terms.endpoints[at]}: {type(error).__name__}: {words}")
            else:
                self._first = at
                return answer
        raise CoordinatorError(f"Redis did not answer: {'; '.join(problems)}")


def _revision(value: bytes | None) -> int:
    """A number for a value: Redis counts no revisions. 0 for none."""
    if value is None:
        return 0
    return int.from_bytes(hashlib.sha256(value).digest()[:8], "big") | 1


def _clients(terms: Coordinator) -> list[Any]:
    """A client for each endpoint; of Sentinels one, for whoever is master then."""
    limits: dict[str, Any] = {
        # The library's own defaults hide a server that stands still for ten seconds.
        "socket_timeout": terms.request_s / 2,
        "socket_connect_timeout": terms.request_s / 2,
        "retry": Retry(NoBackoff(), 0),
    }
    login: dict[str, Any] = {}
    if terms.user:
        login["username"] = terms.user
    if terms.password is not None:
        login["password"] = terms.password()
    scheme = urlsplit(terms.endpoints[0]).scheme
    if scheme in ("rediss", "sentinels"):
        login["ssl"] = True
        login["ssl_ca_certs"] = None if terms.ca is None else str(terms.ca)
        if terms.certificate is not None:
            login["ssl_certfile"] = str(terms.certificate)
            login["ssl_keyfile"] = str(terms.key or terms.certificate)
    places = [(urlsplit(url).hostname or "", urlsplit(url).port or 0) for url in terms.endpoints]
    if scheme.startswith("sentinel"):
        outer = {name: value for name, value in login.items() if name.startswith("ssl")}
        make_sentinel: Any = Sentinel  # the library does not say what it takes
        sentinel = make_sentinel(places, sentinel_kwargs={**limits, **outer}, **limits, **login)
        return [sentinel.master_for(terms.service)]
    return [redis.Redis(host=host, port=port, **limits, **login) for host, port in places]

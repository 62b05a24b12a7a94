"""Brokers that speak TLS, ask for a password, or have a full disk: what the shipper's end does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from etcd_servers import Tls, make_tls
from kafka_broker import broker, broker_library, make_topics, read_topic
from kafka_gate import MESSAGE_TOO_LARGE, NOT_ENOUGH_REPLICAS, STORAGE_ERROR, Gate, gate
from kafka_logins import Login
from servers import HOST
from waiting import wait_until

from logos.config.tables.kafka import Sasl, Security, ShipKafkaSettings
from logos.config.tables.kafka_options import PASSWORD, USERNAME, kafka_options
from logos.observe.shipping import kafka
from logos.observe.shipping.kafka import KafkaTarget
from logos.observe.shipping.messages import Message

pytestmark = pytest.mark.long

LOGIN = Login("desk", "correct horse")
WRONG = Login("desk", "wrong battery")
SCRAM = (Sasl.SCRAM_SHA_256, Sasl.SCRAM_SHA_512)
TOPICS = ("logos.journal", "logos.decisions")
SENT = [Message("journal", b"demo:%d" % number, b'{"seq":%d}' % number) for number in range(1, 6)]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_tls(tmp_path_factory.mktemp("tls"))


def served(tls: Tls, *, clients_prove_themselves: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.server, tls.server_key)
    if clients_prove_themselves:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.ca)
    return context


@contextmanager
def guarded(folder: Path, way: Gate) -> Iterator[str]:
    """A broker behind the gate, with the topics; its own address."""
    broker_library()
    with broker(folder, advertised=way.port) as server:
        way.target = server.port
        context, way.context = way.context, None
        login, way.login = way.login, None
        make_topics(f"{HOST}:{way.port}", *TOPICS)
        way.context, way.login = context, login
        yield server.address


@contextmanager
def target(way: Gate, login: Login = LOGIN, **words: Any) -> Iterator[KafkaTarget]:
    settings = ShipKafkaSettings(brokers=f"{HOST}:{way.port}", **words)
    options = kafka_options(settings, {USERNAME: login.user, PASSWORD: login.password})
    made = KafkaTarget(options, "logos.", "zstd")
    try:
        yield made
    finally:
        made.close()


def arrives(way: KafkaTarget) -> None:
    """It takes the messages, and says that all is well."""
    sent = None

    def is_acknowledged() -> bool:
        nonlocal sent
        if sent is None or sent.is_done:
            sent = way.send("demo", SENT)
        way.wait()
        return sent.is_acknowledged

    wait_until(is_acknowledged, "messages to be acknowledged")
    assert (way.is_connected, way.problem) == (True, "")


def says(way: KafkaTarget, words: str) -> None:
    """It takes nothing, and tells why."""

    def is_told() -> bool:
        assert not way.send("demo", SENT).is_acknowledged
        way.wait()
        return words in way.problem

    wait_until(is_told, f"{words!r} in {way.problem!r}")
    assert not way.is_connected


def stored(way: Gate) -> list[tuple[bytes, bytes]]:
    """What the broker has; the gate is opened for that."""
    way.context = way.login = None
    return read_topic(f"{HOST}:{way.port}", TOPICS[0], lambda found: len(found) >= len(SENT))


def test_records_arrive_through_tls_that_is_checked(tmp_path: Path, tls: Tls) -> None:
    with gate(served(tls)) as way, guarded(tmp_path, way):
        with target(way, security=Security.SSL, ca_file=str(tls.ca)) as sink:
            arrives(sink)
        assert stored(way) == [(each.key, each.value) for each in SENT]


def test_a_broker_of_another_authority_and_one_of_another_name_are_refused(
    tmp_path: Path, tls: Tls
) -> None:
    strange, named = tmp_path / "strange", tmp_path / "named"
    strange.mkdir()
    named.mkdir()
    other = make_tls(strange)
    elsewhere = make_tls(named, ["192.0.2.7"])
    for served_by, ca in ((other, tls.ca), (elsewhere, elsewhere.ca)):
        checked: dict[str, Any] = {"security": Security.SSL, "ca_file": str(ca)}
        with (
            gate(served(served_by)) as way,
            guarded(tmp_path / "broker", way),
            target(way, **checked) as sink,
        ):
            says(sink, "certificate verify failed")


def test_a_password_opens_and_a_wrong_one_is_told_without_it(tmp_path: Path, tls: Tls) -> None:
    words: dict[str, Any] = {
        "security": Security.SASL_SSL,
        "sasl": Sasl.PLAIN,
        "ca_file": str(tls.ca),
    }
    with gate(served(tls), LOGIN) as way, guarded(tmp_path, way):
        with target(way, WRONG, **words) as sink:
            says(sink, "uthentication")
            assert "battery" not in sink.problem
        with target(way, **words) as sink:
            arrives(sink)
        assert stored(way) == [(each.key, each.value) for each in SENT]


def test_a_client_certificate_opens_and_none_or_a_strange_one_is_refused(
    tmp_path: Path, tls: Tls
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = make_tls(elsewhere)
    checked: dict[str, Any] = {"security": Security.SSL, "ca_file": str(tls.ca)}

    def own(of: Tls) -> dict[str, Any]:
        return {"certificate_file": str(of.client), "key_file": str(of.client_key)}

    context = served(tls, clients_prove_themselves=True)
    with gate(context) as way, guarded(tmp_path / "broker", way):
        with target(way, **checked) as sink:
            says(sink, "certificate required")
        with target(way, **checked, **own(other)) as sink:
            says(sink, "unknown ca")
        with target(way, **checked, **own(tls)) as sink:
            arrives(sink)
        assert stored(way) == [(each.key, each.value) for each in SENT]


@pytest.mark.parametrize("mechanism", SCRAM, ids=[each.value for each in SCRAM])
def test_scram_opens_and_a_wrong_password_is_told_without_it(
    tmp_path: Path, tls: Tls, mechanism: Sasl, capfd: pytest.CaptureFixture[str]
) -> None:
    words: dict[str, Any] = {
        "security": Security.SASL_SSL,
        "sasl": mechanism,
        "ca_file": str(tls.ca),
    }
    login = replace(LOGIN, mechanism=mechanism.value)
    with gate(served(tls), login) as way, guarded(tmp_path, way):
        with target(way, WRONG, **words) as sink:
            says(sink, f"invalid credentials with SASL mechanism {mechanism.value}")
            assert "battery" not in sink.problem
        with target(way, **words) as sink:
            arrives(sink)
        assert stored(way) == [(each.key, each.value) for each in SENT]
    assert "battery" not in "".join(capfd.readouterr())


def test_a_wrong_password_is_not_tried_many_times_a_second(tmp_path: Path) -> None:
    login = replace(LOGIN, mechanism="SCRAM-SHA-256")
    words: dict[str, Any] = {"security": Security.SASL_PLAINTEXT, "sasl": Sasl.SCRAM_SHA_256}
    with gate(None, login) as way, guarded(tmp_path, way), target(way, WRONG, **words) as sink:

        def has_tried() -> bool:
            sink.send("demo", SENT)
            sink.wait()
            return len(way.logins_s) >= 5

        wait_until(has_tried, "five logins")
        tried = way.logins_s[:5]
    # Two connections, to the broker by its address and by its number, wait each for itself.
    for before, after in zip(tried, tried[2:], strict=False):
        assert after - before >= 1.0, tried


def test_a_broker_that_cannot_prove_that_it_knows_the_password_is_refused(tmp_path: Path) -> None:
    login = replace(LOGIN, mechanism="SCRAM-SHA-512", is_honest=False)
    words: dict[str, Any] = {"security": Security.SASL_PLAINTEXT, "sasl": Sasl.SCRAM_SHA_512}
    with gate(None, login) as way, guarded(tmp_path, way):
        with target(way, **words) as sink:
            says(sink, "ServerSignature mismatch")
        way.login = replace(login, is_honest=True)
        with target(way, **words) as sink:
            arrives(sink)


@pytest.mark.parametrize("code", [STORAGE_ERROR, NOT_ENOUGH_REPLICAS])
def test_a_full_disk_is_told_and_waited_for_and_nothing_is_lost(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "_STUCK_S", 0.5)
    with gate() as way, guarded(tmp_path, way), target(way) as sink:
        way.error = code
        sent = sink.send("demo", SENT)

        def is_refused() -> bool:
            sink.wait()
            return way.refused >= 3 and bool(sink.problem)

        wait_until(is_refused, "the broker to refuse three times, and that to be told")
        assert "store nothing (a full disk, or too few replicas in sync)" in sink.problem
        assert not sent.is_done
        assert not sent.refused
        way.error = 0

        def is_there() -> bool:
            sink.wait()
            return sent.is_acknowledged

        wait_until(is_there, "messages to be acknowledged")
        assert sink.problem == ""
        assert stored(way) == [(each.key, each.value) for each in SENT]


def test_what_is_too_large_for_the_topic_is_refused_with_its_reason(tmp_path: Path) -> None:
    with gate() as way, guarded(tmp_path, way), target(way) as sink:
        way.error = MESSAGE_TOO_LARGE
        sent = sink.send("demo", SENT)

        def is_over() -> bool:
            sink.wait()
            return sent.is_done

        wait_until(is_over, "the refusal to be heard of")
        assert "too large" in sent.refused

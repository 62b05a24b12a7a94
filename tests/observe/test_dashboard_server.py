"""The dashboard on its port: news as they come, clients that do not read, an end at once."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dashboard_helpers import MadeSession, Served, events_of, line, order, served
from servers import program
from waiting import wait_until

from logos.observe.dashboard import app, server, stream
from logos.observe.dashboard.access import Access
from logos.observe.dashboard.app import Dashboard
from logos.observe.dashboard.server import DashboardServer
from logos.observe.serving import Certificate

pytestmark = pytest.mark.long


@pytest.fixture
def made(tmp_path: Path) -> MadeSession:
    made = MadeSession(tmp_path)
    made.account(100.0, 110.0)
    made.figures()
    return made


@contextlib.contextmanager
def following(
    dashboard: Served, place: str, last_id: str = "", receive_bytes: int = 0
) -> Iterator[http.client.HTTPResponse]:
    """A client that follows the session `made` from a place on."""
    connection = http.client.HTTPConnection("127.0.0.1", dashboard.port, timeout=20)
    if receive_bytes:
        connection.sock = socket.socket()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.sock.settimeout(20)
        connection.sock.connect(("127.0.0.1", dashboard.port))
    headers = {"Last-Event-ID": last_id} if last_id else {}
    connection.request("GET", f"/api/sessions/made/stream?at={place}", headers=headers)
    answer = connection.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def place_of(dashboard: Served) -> str:
    return str(dashboard.get("/api/sessions/made").json()["place"])


def account(seq: int, equity: int) -> bytes:
    figures = {"equity_units": equity, "high_water_units": 12_000, "money_decimals": 2}
    return line(seq, "account", currency="USD", **figures)


def test_points_records_and_figures_come_as_they_are_written(made: MadeSession) -> None:
    with served(made.home) as dashboard, following(dashboard, place_of(dashboard)) as news:
        assert news.headers["Content-Type"].startswith("text/event-stream")
        [(name, _, data)] = events_of(news, 1)
        assert (name, data["points"][0]["equity"]) == ("figures", 999.5)
        made.add(account(2, 11_500), order(3, 1))
        [(name, place, data)] = events_of(news, 1)
        assert (name, data["points"][0]["equity"], data["points"][0]["drawdown"]) == (
            *("records", 115.0, 5.0),
        )
        assert [each["what"] for each in data["events"]] == ["ORDER BUY"]
        assert place.startswith(f"{made.journal.stat().st_size}@")
        made.figures(ticks=7)
        assert events_of(news, 1)[0][2]["figures"]["ticks"] == 7


def test_who_comes_back_goes_on_at_the_byte_it_had_in_another_dashboard_too(
    made: MadeSession,
) -> None:
    with served(made.home) as dashboard, following(dashboard, place_of(dashboard)) as news:
        made.add(order(2, 1))
        found = [each for each in events_of(news, 2) if each[0] == "records"]
    [(_, place, _)] = found
    made.add(order(3, 2), order(4, 3))
    with served(made.home) as dashboard, following(dashboard, "0@", last_id=place) as news:
        found = [each for each in events_of(news, 2) if each[0] == "records"]
        assert [each["text"][:2] for each in found[0][2]["events"]] == ["#2", "#3"]


def test_a_place_that_is_gone_and_one_too_far_behind_begin_anew(
    made: MadeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made.journal.stat().st_size
    made.add(order(2, 1))
    with served(made.home) as dashboard:
        place = place_of(dashboard)
        os.truncate(made.journal, before)
        with following(dashboard, place) as news:
            [(name, _, data)] = events_of(news, 1)
            assert (name, data["reason"]) == (
                *("resync", f"it has become shorter, and has {before:,} bytes"),
            )
            assert news.read() == b""
        monkeypatch.setattr(stream, "BEHIND_MAX", 100)
        place = place_of(dashboard)
        made.add(order(2, 1))
        with following(dashboard, place) as news:
            assert events_of(news, 1)[0][0] == "resync"


@pytest.mark.parametrize("place", ["", "x", "-1@", "5@", "1@9:0123456789abcdef", "9" * 30 + "@"])
def test_an_id_that_no_event_had_is_refused(made: MadeSession, place: str) -> None:
    with served(made.home) as dashboard, following(dashboard, place) as news:
        assert news.status == 400


def test_a_client_that_does_not_read_holds_up_nobody_and_is_ended(
    made: MadeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STALLED_S", 1.0)
    with served(made.home) as dashboard:
        place = place_of(dashboard)
        with (
            following(dashboard, place, receive_bytes=4096) as deaf,
            following(dashboard, place) as other,
        ):
            events_of(other, 1)
            text = "x" * 2_000
            heard: list[int] = []

            def listen() -> None:
                while sum(heard) < 1_500:
                    [(_, _, data)] = events_of(other, 1)
                    heard.append(data.get("events_all", 0))

            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            for number in range(2, 1_502):
                made.add(line(number, "note", text=text))
            asked = time.monotonic()
            assert dashboard.get("/api/sessions/made").status == 200
            assert time.monotonic() - asked < 5
            listener.join(30)
            assert not listener.is_alive(), f"the other client heard {sum(heard)}"
            wait_until(
                lambda: dashboard.app.streams == 1, "the client that does not read to be ended"
            )
            made.figures(ticks=99)
            assert events_of(other, 1)[0][2]["figures"]["ticks"] == 99
            with contextlib.suppress(ConnectionError, http.client.IncompleteRead):
                assert len(deaf.read()) < 1_500 * len(text) / 2


def test_more_followers_than_are_served_are_told_so(
    made: MadeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STREAMS_MAX", 2)
    with served(made.home) as dashboard, contextlib.ExitStack() as stack:
        place = place_of(dashboard)
        for _ in range(2):
            events_of(stack.enter_context(following(dashboard, place)), 1)
        with following(dashboard, place) as third:
            assert (third.status, third.headers["Retry-After"]) == (503, "5")
        stack.close()

        def has_room() -> bool:
            made.figures()
            with following(dashboard, place) as again:
                return again.status == 200

        wait_until(has_room, "the place of a client that went away")


def test_clients_that_say_nothing_hold_up_nobody_and_are_ended(
    made: MadeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.5)
    with served(made.home) as dashboard, contextlib.ExitStack() as stack:
        idle = []
        for number in range(server.CONNECTIONS_MAX - 1):
            each = stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.port), 20))
            if number % 2:
                each.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            idle.append(each)
        assert dashboard.get("/-/healthy").content == b"ok\n"
        for each in idle:
            with contextlib.suppress(ConnectionError):
                assert each.recv(1) == b""


def test_more_connections_than_are_served_are_closed_at_once(made: MadeSession) -> None:
    with served(made.home) as dashboard, contextlib.ExitStack() as stack:
        address = ("127.0.0.1", dashboard.port)
        for _ in range(server.CONNECTIONS_MAX):
            stack.enter_context(socket.create_connection(address, timeout=20))
        extra = stack.enter_context(socket.create_connection(address, timeout=5))
        with contextlib.suppress(ConnectionError):
            assert extra.recv(1) == b""


def test_it_ends_at_once_with_clients_that_follow_and_ones_that_do_not_read(
    made: MadeSession,
) -> None:
    with contextlib.ExitStack() as stack:
        with served(made.home) as dashboard:
            place = place_of(dashboard)
            for _ in range(3):
                events_of(stack.enter_context(following(dashboard, place)), 1)
            stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.port), 5))
            began = time.monotonic()
        assert time.monotonic() - began < 3


def test_nothing_of_the_workspace_is_written_or_opened_for_writing(made: MadeSession) -> None:
    made.add(order(2, 1))
    before = {path: path.stat().st_mtime_ns for path in made.home.rglob("*")}
    with served(made.home) as dashboard, following(dashboard, place_of(dashboard)) as news:
        events_of(news, 1)
        for path in ("", "/made", "/made/orders", "/made/log"):
            dashboard.get(f"/api/sessions{path}")
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if str(each.readlink()).startswith(str(made.home)):
                    info = (Path("/proc/self/fdinfo") / each.name).read_text()
                    flags = int(info.split("flags:")[1].split()[0], 8)
                    assert flags & os.O_ACCMODE == os.O_RDONLY
    assert {path: path.stat().st_mtime_ns for path in made.home.rglob("*")} == before


def test_an_address_that_is_taken_is_said(made: MadeSession) -> None:
    with served(made.home) as dashboard, pytest.raises(OSError, match="in use") as caught:
        DashboardServer(("127.0.0.1", dashboard.port), Dashboard(made.home, Access()))
    assert caught.value.filename == f"127.0.0.1:{dashboard.port}"


def test_it_serves_tls_and_says_when_its_files_are_none(made: MadeSession, tmp_path: Path) -> None:
    openssl = program("openssl", "openssl")
    certificate = Certificate(tmp_path / "c.pem", tmp_path / "k.pem")
    command = [openssl, "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", str(certificate.certificate), "-keyout", str(certificate.key)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(certificate.certificate))
    with served(made.home, certificate=certificate) as dashboard:
        assert dashboard.url.startswith("https://")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", dashboard.port, timeout=10, context=context
        )
        connection.request("GET", "/api/sessions")
        assert connection.getresponse().status == 200
        connection.close()
    certificate.key.write_text("no key")
    with pytest.raises(OSError, match=r".") as caught:
        DashboardServer(("127.0.0.1", 0), Dashboard(made.home, Access()), certificate)
    assert not isinstance(caught.value, FileNotFoundError)

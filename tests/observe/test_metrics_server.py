"""The metrics server: who may read the page, from where, and what a bad client can do."""

from __future__ import annotations

import base64
import gzip
import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import program

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.errors import ConfigError
from logos.observe.metrics.exposition import Page
from logos.observe.metrics.samples import Sample
from logos.observe.metrics.server import (
    CONNECTIONS_MAX,
    Access,
    MetricsServer,
    check_listening,
    read_access,
)
from logos.observe.serving import Certificate

LOOPBACK = ("127.0.0.1", 0)
TOKEN = "t0ken-of-the-desk"
BASIC = Access(basic=Secret("prom:pa:ss"))


def page() -> Page:
    return Page(lambda: [Sample("logos_build_info", ("1.2.3",), 1)])


def port_of(server: MetricsServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def ask(
    server: MetricsServer, path: str = "/metrics", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.fixture
def open_server() -> Iterator[MetricsServer]:
    server = MetricsServer(LOOPBACK, page())
    yield server
    server.close()


def test_it_serves_the_page_its_health_and_nothing_else(open_server: MetricsServer) -> None:
    status, headers, content = ask(open_server)
    assert (status, content.splitlines()[-1]) == (200, b'logos_build_info{version="1.2.3"} 1.0')
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert ask(open_server, "/-/healthy")[::2] == (200, b"ok\n")
    assert ask(open_server, "/")[0] == 404


def test_it_packs_what_a_client_unpacks(open_server: MetricsServer) -> None:
    kwargs = {"Accept-Encoding": "gzip"}
    status, headers, content = ask(open_server, **kwargs)
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert b"logos_build_info" in gzip.decompress(content)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9464", 200),
        ("localhost", 200),
        ("[::1]:9464", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_without_credentials_only_names_of_this_machine_are_answered(
    open_server: MetricsServer, host: str, status: int
) -> None:
    assert ask(open_server, Host=host)[0] == status


def header_of(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()


@pytest.mark.parametrize(
    ("access", "given", "status"),
    [
        (Access(bearer=Secret(TOKEN)), f"Bearer {TOKEN}", 200),
        (Access(bearer=Secret(TOKEN)), f"bearer {TOKEN}", 200),
        (Access(bearer=Secret(TOKEN)), f"Bearer {TOKEN}x", 401),
        (Access(bearer=Secret(TOKEN)), "Bearer", 401),
        (Access(bearer=Secret(TOKEN)), "", 401),
        (Access(bearer=Secret(TOKEN)), header_of(TOKEN), 401),
        (BASIC, header_of("prom:pa:ss"), 200),
        (BASIC, header_of("prom:"), 401),
        (BASIC, "Basic ****", 401),
        (BASIC, "Basic /w==", 401),
    ],
)
def test_credentials_are_asked_for(access: Access, given: str, status: int) -> None:
    server = MetricsServer(LOOPBACK, page(), access)
    try:
        headers = {"Authorization": given} if given else {}
        got, answered, content = ask(server, **headers)
        assert got == status
        assert (b"logos_build_info" in content) is (status == 200)
        assert ("WWW-Authenticate" in answered) is (status == 401)
        # A name is none of its business then, and probes need no credentials.
        assert ask(server, "/-/healthy", Host="desk.example")[0] == 200
    finally:
        server.close()


def test_clients_that_say_nothing_hold_up_nobody(open_server: MetricsServer) -> None:
    address = ("127.0.0.1", port_of(open_server))
    idle = [socket.create_connection(address, timeout=10) for _ in range(CONNECTIONS_MAX - 1)]
    try:
        assert ask(open_server)[0] == 200
    finally:
        for each in idle:
            each.close()


def test_more_clients_than_it_has_threads_are_closed_at_once(open_server: MetricsServer) -> None:
    address = ("127.0.0.1", port_of(open_server))
    held = [socket.create_connection(address, timeout=10) for _ in range(CONNECTIONS_MAX + 1)]
    try:
        assert held[-1].recv(1) == b""
    finally:
        for each in held:
            each.close()


@pytest.mark.long
def test_tls_is_spoken_where_there_is_a_certificate(tmp_path: Path) -> None:
    made = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
    made += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    server = MetricsServer(LOOPBACK, page(), certificate=Certificate(certificate, key))
    try:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port_of(server), context=context, timeout=10
        )
        connection.request("GET", "/metrics")
        assert connection.getresponse().status == 200
        connection.close()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(server)
    finally:
        server.close()
    with pytest.raises(ssl.SSLError):
        MetricsServer(LOOPBACK, page(), certificate=Certificate(key, certificate))


@pytest.mark.parametrize(
    ("host", "access", "has_tls", "is_plain", "problem"),
    [
        ("127.0.0.1", Access(), False, False, ""),
        ("::1", Access(), False, False, ""),
        ("0.0.0.0", Access(), True, True, "nobody is asked who they are"),
        ("0.0.0.0", BASIC, False, False, "would cross the network unencrypted"),
        ("desk.example", BASIC, False, False, "would cross the network unencrypted"),
        ("0.0.0.0", BASIC, True, False, ""),
        ("0.0.0.0", BASIC, False, True, ""),
    ],
)
def test_off_this_machine_it_wants_credentials_and_tls(
    host: str, access: Access, has_tls: bool, is_plain: bool, problem: str
) -> None:
    certificate = Certificate(Path("c"), Path("k")) if has_tls else None
    if not problem:
        check_listening(host, access, certificate, is_plain=is_plain)
        return
    with pytest.raises(ConfigError, match=problem):
        check_listening(host, access, certificate, is_plain=is_plain)


def test_credentials_come_from_the_environment_or_dotenv_and_are_never_shown(
    tmp_path: Path,
) -> None:
    dotenv = {"LOGOS_METRICS_USER": "prom", "LOGOS_METRICS_PASSWORD": "hush"}
    path = tmp_path / ".env"
    path.touch(0o600)
    access = read_access(Environment({"LOGOS_METRICS_TOKEN": TOKEN}, dotenv, path))
    assert access.allows(f"Bearer {TOKEN}")
    assert access.allows(header_of("prom:hush"))
    assert not access.allows("")
    assert TOKEN not in repr(access)
    assert "hush" not in repr(access)
    assert read_access(Environment({}, {}, tmp_path / ".env")).is_open


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"LOGOS_METRICS_USER": "prom"}, "LOGOS_METRICS_PASSWORD is not"),
        ({"LOGOS_METRICS_PASSWORD": "hush"}, "LOGOS_METRICS_USER is not"),
        ({"LOGOS_METRICS_USER": "a:b", "LOGOS_METRICS_PASSWORD": "hush"}, "has a colon"),
    ],
)
def test_half_of_a_pair_is_refused(tmp_path: Path, variables: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        read_access(Environment(variables, {}, tmp_path / ".env"))
    assert "hush" not in str(error.value)

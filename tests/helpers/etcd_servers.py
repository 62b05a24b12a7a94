"""etcd for tests: one member or several, with TLS and passwords where they are wanted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from servers import HOST, Server, free_ports, program, running

from logos.killswitch.fleet.etcd import EtcdStore
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.store import Coordinator

FAST: Final = ("--heartbeat-interval", "20", "--election-timeout", "200")
"""Members on one machine need not wait long for each other."""


@dataclass(frozen=True)
class Tls:
    """A certificate authority, a certificate of servers, and one of clients (without a name)."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_tls(folder: Path, addresses: Sequence[str] = (HOST,)) -> Tls:
    """Make them, for servers at `addresses`."""
    openssl = program("openssl", "openssl")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    extensions = folder / "extensions"
    names = ",".join(f"IP:{each}" for each in addresses)
    extensions.write_text(
        "[v]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
        f"subjectAltName={names}\n"
    )

    def run(*arguments: str | Path) -> None:
        subprocess.run([openssl, *map(str, arguments)], check=True, capture_output=True)

    ca, ca_key = folder / "ca.crt", folder / "ca.key"
    run("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=tests",
        "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    made = {}
    # etcd's gateway refuses a client certificate that has a common name where users log in.
    for name, subject in (("server", "/CN=etcd"), ("client", "/O=tests")):
        key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        run("req", *curve, "-keyout", key, "-out", request, "-subj", subject)
        signed: list[str | Path] = ["-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2"]
        signed += ["-extfile", extensions, "-extensions", "v"]
        run("x509", "-req", "-in", request, "-out", certificate, *signed)
        made[name] = (certificate, key)
    return Tls(ca, *made["server"], *made["client"])


@dataclass
class Cluster:
    """Members that run; `urls` are those of clients, in the order of `members`."""

    members: list[Server] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def control(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Run etcdctl against it, through its own protocol; what it prints."""
        done = subprocess.run(
            [program("etcdctl", "etcd-client"), "--endpoints", ",".join(self.urls), *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "ETCDCTL_API": "3", **(environment or {})},
        )
        return done.stdout


@contextmanager
def etcd(folder: Path, count: int = 1, tls: Tls | None = None) -> Iterator[Cluster]:
    """A cluster of `count` members on loopback, once it answers."""
    binary = program("etcd", "etcd-server")
    ports = free_ports(2 * count)
    scheme = "http" if tls is None else "https"
    urls = [f"{scheme}://{HOST}:{port}" for port in ports[:count]]
    peers = [f"http://{HOST}:{port}" for port in ports[count:]]
    everyone = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
    cluster = Cluster(urls=urls)
    with ExitStack() as stack:
        for number in range(count):
            command = [
                *(binary, "--name", f"m{number}", "--data-dir", "data", *FAST),
                *("--listen-client-urls", urls[number], "--advertise-client-urls", urls[number]),
                *("--listen-peer-urls", peers[number]),
                *("--initial-advertise-peer-urls", peers[number]),
                *("--initial-cluster", everyone, "--initial-cluster-token", folder.name),
                *("--logger", "zap", "--log-level", "error"),
            ]
            if tls is not None:
                command += ["--cert-file", str(tls.server), "--key-file", str(tls.server_key)]
                command += ["--trusted-ca-file", str(tls.ca), "--client-cert-auth"]
            is_last = number == count - 1
            cluster.members.append(
                stack.enter_context(
                    running(
                        command,
                        folder / f"m{number}",
                        ports[number],
                        is_ready=_answering(urls, tls) if is_last else lambda: True,
                    )
                )
            )
        yield cluster


def _answering(urls: Sequence[str], tls: Tls | None) -> Callable[[], bool]:
    files = (None, None, None) if tls is None else (tls.ca, tls.client, tls.client_key)
    terms = Coordinator("ready", "etcd", tuple(urls), 10**9, 10**9, *files)

    def answers() -> bool:
        store = EtcdStore(terms)
        try:
            store.read()
        except CoordinatorError:
            return False
        finally:
            store.close()
        return True

    return answers

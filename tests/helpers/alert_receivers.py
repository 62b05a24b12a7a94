"""Who gets alerts in tests: a web hook and a mail server on loopback, which keep what they got.

The mail server speaks SMTP as RFC 5321 has it, as far as a client that sends one mail needs it,
with STARTTLS (RFC 3207), TLS from the first byte, and AUTH PLAIN (RFC 4954) where it is told a
password.
"""

from __future__ import annotations

import base64
import json
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self


class Post(NamedTuple):
    """One request that a hook got, and when."""

    path: str
    headers: dict[str, str]
    body: bytes
    time_ns: int

    @property
    def message(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class Hook:
    """A web hook; `answers` are the statuses of the next requests, after which all are 200."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[Post] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = dict(self.headers.items())
                hook.posts.append(Post(self.path, headers, body, time.time_ns()))
                status = hook.answers.pop(0) if hook.answers else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [post.message for post in list(self.posts)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class MailSink:
    """A mail server that keeps every mail. `context` is its side of TLS; `password`: it wants a
    login; `is_tls`: from the first byte; `refused`: addresses that it does not take."""

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        is_tls: bool = False,
        password: str = "",
        refused: tuple[str, ...] = (),
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.times_ns: list[int] = []
        self.was_encrypted: list[bool] = []
        self.context = context
        self.is_tls = is_tls
        self.password = password
        self.refused = refused
        sink = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                # A client that does not trust us goes away.
                with suppress(ssl.SSLError, ConnectionError), ExitStack() as opened:
                    _Talk(sink, self.request, opened).go_on()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def ids(self) -> list[str]:
        return [str(mail["X-Logos-Alert-Id"]) for mail in list(self.mails)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Talk:
    """One connection of a mail server."""

    def __init__(self, sink: MailSink, talk: socket.socket, opened: ExitStack) -> None:
        self._sink = sink
        self._opened = opened
        self._talk = talk
        self._is_encrypted = False
        self._is_known = not sink.password
        if sink.is_tls:
            self._encrypt()
        self._file = opened.enter_context(self._talk.makefile("rb"))

    def _encrypt(self) -> None:
        assert self._sink.context is not None
        wrapped = self._sink.context.wrap_socket(self._talk, server_side=True)
        self._talk = self._opened.enter_context(wrapped)
        self._is_encrypted = True

    def _say(self, words: str) -> None:
        self._talk.sendall(words.encode() + b"\r\n")

    def go_on(self) -> None:
        """Answer until the client leaves."""
        self._say("220 sink")
        while line := self._file.readline():
            word, _, rest = line.decode().strip().partition(" ")
            self._answer(word.upper(), rest)
            if word.upper() == "QUIT":
                return

    def _answer(self, word: str, rest: str) -> None:
        sink = self._sink
        if word == "EHLO":
            may_encrypt = sink.context is not None and not self._is_encrypted
            offers = ["sink", *(["STARTTLS"] if may_encrypt else [])]
            offers += ["AUTH PLAIN"] if sink.password else []
            for each in offers[:-1]:
                self._say(f"250-{each}")
            self._say(f"250 {offers[-1]}")
        elif word == "STARTTLS" and sink.context is not None:
            self._say("220 go on")
            self._encrypt()
            self._file = self._opened.enter_context(self._talk.makefile("rb"))
        elif word == "AUTH":
            given = base64.b64decode(rest.split()[1]).split(b"\0")
            self._is_known = given[1:] == [b"ann", sink.password.encode()]
            self._say("235 welcome" if self._is_known else "535 no")
        elif word == "RCPT" and any(each in rest for each in sink.refused):
            self._say("550 no such person")
        elif word in ("MAIL", "RCPT"):
            self._say("250 ok" if self._is_known else "530 log in first")
        elif word == "DATA":
            self._take()
        elif word == "QUIT":
            self._say("221 bye")
        else:
            self._say("250 ok" if word == "RSET" else "502 not here")

    def _take(self) -> None:
        """One mail, up to the line that is a point."""
        self._say("354 go on")
        lines = []
        while (line := self._file.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._sink.was_encrypted.append(self._is_encrypted)
        self._sink.times_ns.append(time.time_ns())
        self._sink.mails.append(mail)
        self._say("250 kept")


def certificate(openssl: str, folder: Path) -> Path:
    """A file with a key and a certificate of its own making, for localhost."""
    made, key = folder / "cert.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    words += ["-nodes", "-days", "2"]
    words += ["-keyout", str(key), "-out", str(made), "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([openssl, *words], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


def server_context(both: Path) -> ssl.SSLContext:
    """The server's side of TLS with that file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context

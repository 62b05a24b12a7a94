"""Each channel hands a message over, and says in words, none of them secret, why it could not."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from alert_receivers import Hook, MailSink, certificate, server_context
from places import absent
from servers import free_ports, program

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.config.tables.alerts import ChannelSettings, ChannelType, MailSecurity
from logos.errors import ConfigError
from logos.observe.alerts.alert import test_message as message_for
from logos.observe.alerts.channels.base import DeliveryError
from logos.observe.alerts.channels.command import CommandChannel
from logos.observe.alerts.channels.make import make_channel
from logos.observe.alerts.channels.webhook import WebhookChannel

MESSAGE = message_for("desk", "/srv/desk", 1_795_974_607_155_896_409)


def environment(tmp_path: Path, **variables: str) -> Environment:
    names = {f"LOGOS_ALERTS_DESK_{name}": value for name, value in variables.items()}
    return Environment.read({"LOGOS_HOME": str(tmp_path), **names})


# ---- command ----


def test_a_command_reads_the_message_as_one_object(tmp_path: Path) -> None:
    there = tmp_path / "got"
    code = f"import sys; open({str(there)!r}, 'w').write(sys.stdin.read())"
    CommandChannel([sys.executable, "-c", code], 30).deliver(MESSAGE)
    assert json.loads(there.read_text()) == json.loads(msgspec.json.encode(MESSAGE))


def test_a_command_gets_its_arguments_as_they_are_and_no_shell(tmp_path: Path) -> None:
    there = tmp_path / "got"
    code = f"import sys; open({str(there)!r}, 'w').write(sys.argv[1])"
    CommandChannel([sys.executable, "-c", code, "$HOME; `id` *"], 30).deliver(MESSAGE)
    assert there.read_text() == "$HOME; `id` *"


def test_a_command_that_does_not_read_may_end_well() -> None:
    CommandChannel(["true"], 30).deliver(MESSAGE)


def test_a_command_that_fails_says_its_code_and_its_words() -> None:
    with pytest.raises(DeliveryError, match=r"sh ended with exit code 3: no \\u001b\[1m line"):
        CommandChannel(["sh", "-c", "printf 'no \\033[1m line'; exit 3"], 30).deliver(MESSAGE)


def test_a_command_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(DeliveryError, match="cannot be run: No such file"):
        CommandChannel(["/nowhere/tell"], 30).deliver(MESSAGE)


@pytest.mark.long
def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {pid}; wait"
    with pytest.raises(DeliveryError, match=r"took longer than 0\.5 s"):
        CommandChannel(["sh", "-c", script], 0.5).deliver(MESSAGE)
    child = Path("/proc", pid.read_text().strip(), "stat")
    deadline_s = time.monotonic() + 10
    while child.exists() and ") Z " not in child.read_text():
        assert time.monotonic() < deadline_s


# ---- webhook ----


def test_a_hook_gets_the_message_signed_with_its_time(tmp_path: Path) -> None:
    with Hook() as hook:
        settings = ChannelSettings(type=ChannelType.WEBHOOK, url=hook.url)
        make_channel("desk", settings, environment(tmp_path, SECRET="key")).deliver(MESSAGE)
    [post] = hook.posts
    assert post.message == json.loads(msgspec.json.encode(MESSAGE))
    assert post.headers["X-Logos-Alert-Id"] == MESSAGE.id
    signed = post.headers["X-Logos-Timestamp"].encode() + b"." + post.body
    expected = hmac.new(b"key", signed, hashlib.sha256).hexdigest()
    assert post.headers["X-Logos-Signature"] == f"sha256={expected}"
    assert abs(time.time() - int(post.headers["X-Logos-Timestamp"])) < 60


def test_without_a_signing_key_nothing_is_signed(tmp_path: Path) -> None:
    with Hook() as hook:
        settings = ChannelSettings(type=ChannelType.WEBHOOK, url=hook.url)
        make_channel("desk", settings, environment(tmp_path)).deliver(MESSAGE)
    assert "X-Logos-Signature" not in hook.posts[0].headers


def test_an_address_with_a_token_is_a_variable_that_wins_and_is_never_shown(
    tmp_path: Path,
) -> None:
    with Hook() as hook:
        url = f"http://127.0.0.1:{hook.port}/services/T0KEN?key=T0KEN"
        settings = ChannelSettings(type=ChannelType.WEBHOOK, url="https://other.example")
        channel = make_channel("desk", settings, environment(tmp_path, URL=url))
        channel.deliver(MESSAGE)
        hook.answers.append(500)
        with pytest.raises(DeliveryError) as caught:
            channel.deliver(MESSAGE)
    assert hook.posts[0].path == "/services/T0KEN?key=T0KEN"
    assert str(caught.value) == "127.0.0.1 answered HTTP 500"


def test_a_redirect_is_not_followed() -> None:
    with Hook() as hook:
        hook.answers.append(302)
        with pytest.raises(DeliveryError, match="answered HTTP 302"):
            WebhookChannel(Secret(hook.url), None, 10).deliver(MESSAGE)
    assert len(hook.posts) == 1


def test_a_hook_that_is_away_is_a_failure_without_its_path() -> None:
    [port] = free_ports(1)
    with pytest.raises(DeliveryError) as caught:
        WebhookChannel(Secret(f"http://127.0.0.1:{port}/T0KEN"), None, 10).deliver(MESSAGE)
    assert str(caught.value) == "127.0.0.1 did not take it: Connection refused"


def test_a_path_that_http_cannot_hold_is_a_failure_without_it() -> None:
    with pytest.raises(DeliveryError) as caught:
        WebhookChannel(Secret("http://127.0.0.1:1/T0KEN here"), None, 10).deliver(MESSAGE)
    assert "T0KEN" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://other.example/x", "file:///etc/passwd", "https", "https://[::1/x"]
)
def test_a_secret_address_must_be_encrypted_or_of_this_machine(url: str, tmp_path: Path) -> None:
    settings = ChannelSettings(type=ChannelType.WEBHOOK)
    with pytest.raises(ConfigError, match="LOGOS_ALERTS_DESK_URL is not an address, or") as caught:
        make_channel("desk", settings, environment(tmp_path, URL=url))
    assert url not in str(caught.value).replace("use https", "")


# ---- mail ----


def mail_settings(port: int, security: MailSecurity, user: str = "") -> ChannelSettings:
    return ChannelSettings(
        type=ChannelType.MAIL,
        host="localhost",
        port=port,
        security=security,
        user=user,
        sender="desk@example.com",
        to=["ann@example.com", "bob@example.com"],
    )


def test_a_mail_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    message = msgspec.structs.replace(
        MESSAGE,
        kind="halt",
        session="desk-1",
        text="HALTED: \u00fcber",
        next="logos inspect desk-1",
    )
    with MailSink() as sink:
        settings = mail_settings(sink.port, MailSecurity.NONE)
        make_channel("desk", settings, environment(tmp_path)).deliver(message)
    [mail] = sink.mails
    assert mail["Subject"] == "logos HALT desk-1: HALTED: \u00fcber"
    assert mail["To"] == "ann@example.com, bob@example.com"
    assert mail["X-Logos-Alert-Id"] == message.id
    assert mail["Message-ID"].endswith("@example.com>")
    body = mail.get_content()
    assert "HALTED: \u00fcber" in body
    assert "next       logos inspect desk-1" in body


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_mail_goes_encrypted_and_logged_in(
    security: MailSecurity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = certificate(program("openssl", "openssl"), tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    is_tls = security is MailSecurity.TLS
    with MailSink(context=server_context(both), is_tls=is_tls, password="pass") as sink:
        settings = mail_settings(sink.port, security, user="ann")
        make_channel("desk", settings, environment(tmp_path, PASSWORD="pass")).deliver(MESSAGE)
        wrong = make_channel("desk", settings, environment(tmp_path, PASSWORD="T0KEN"))
        with pytest.raises(DeliveryError) as caught:
            wrong.deliver(MESSAGE)
    assert sink.was_encrypted == [True]
    assert str(caught.value) == "localhost refused the login of ann (code 535)"


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    both = certificate(program("openssl", "openssl"), tmp_path)
    with MailSink(context=server_context(both)) as sink:
        settings = mail_settings(sink.port, MailSecurity.STARTTLS)
        with pytest.raises(DeliveryError, match="localhost did not take it"):
            make_channel("desk", settings, environment(tmp_path)).deliver(MESSAGE)
    assert sink.mails == []


def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    with MailSink() as sink:
        settings = mail_settings(sink.port, MailSecurity.STARTTLS)
        with pytest.raises(DeliveryError, match="did not take it: SMTPNotSupportedError"):
            make_channel("desk", settings, environment(tmp_path)).deliver(MESSAGE)
    assert sink.mails == []


def test_an_address_that_the_server_refuses_is_named(tmp_path: Path) -> None:
    with MailSink(refused=("bob@example.com",)) as sink:
        settings = mail_settings(sink.port, MailSecurity.NONE)
        with pytest.raises(DeliveryError, match=r"localhost refused bob@example\.com"):
            make_channel("desk", settings, environment(tmp_path)).deliver(MESSAGE)


def test_a_line_break_in_a_text_adds_no_header(tmp_path: Path) -> None:
    text = "HALTED: reason\r\nBcc: eve@example.com"
    message = msgspec.structs.replace(MESSAGE, id="a\r\nX-Evil: 1", text=text)
    with MailSink() as sink:
        settings = mail_settings(sink.port, MailSecurity.NONE)
        make_channel("desk", settings, environment(tmp_path)).deliver(message)
    [mail] = sink.mails
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None


# ---- apprise ----

OLD = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
"""The library imports it where Python still has it."""


def need_apprise() -> None:
    if find_spec("apprise") is None:
        absent("apprise is not installed (the extra alerts)")


@OLD
@pytest.mark.long
def test_services_are_told_through_apprise(tmp_path: Path) -> None:
    need_apprise()
    with Hook() as hook:
        settings = ChannelSettings(type=ChannelType.APPRISE)
        url = f"json://127.0.0.1:{hook.port}/T0KEN"
        channel = make_channel("desk", settings, environment(tmp_path, URL=url))
        channel.deliver(msgspec.structs.replace(MESSAGE, severity="critical"))
        hook.answers.append(500)
        with pytest.raises(DeliveryError) as caught:
            channel.deliver(MESSAGE)
    assert hook.messages[0]["type"] == "failure"
    assert "this is a test of the channel desk" in hook.messages[0]["message"]
    assert str(caught.value) == "not every one of 1 services took it"


@pytest.mark.long
@OLD
def test_an_address_that_apprise_does_not_know_is_refused_without_it(tmp_path: Path) -> None:
    need_apprise()
    settings = ChannelSettings(type=ChannelType.APPRISE)
    url = "json://127.0.0.1 nonsense://T0KEN"
    with pytest.raises(ConfigError) as caught:
        make_channel("desk", settings, environment(tmp_path, URL=url))
    assert str(caught.value) == "apprise does not know address 2 of the variable"


def test_without_the_library_what_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    settings = ChannelSettings(type=ChannelType.APPRISE)
    with pytest.raises(ConfigError, match=r"needs the library apprise: "):
        make_channel("desk", settings, environment(tmp_path, URL="json://127.0.0.1"))

"""`logos alerts`: its words and exit codes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from alert_helpers import FakeSession, alert, sealed
from alert_receivers import Hook

from logos.cli.main import main
from logos.config.tables.alerts import AlertKind
from logos.observe.alerts import sender as sender_module
from logos.observe.alerts.outbox import Failed, Outbox, Taken, alerts_folder
from logos.observe.alerts.sender import SenderLock

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(logos_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(logos_home)
    monkeypatch.setattr(sender_module, "IDLE_S", 0.1)
    return logos_home


def settings_file(home: Path, **channels: dict[str, Any]) -> str:
    lines = ["[alerts]", "min_free_bytes = 0"]
    for name, channel in channels.items():
        lines.append(f"[alerts.channels.{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in channel.items()]
    path = home / "alerts.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def noted(home: Path) -> Outbox:
    outbox = Outbox(alerts_folder(home))
    outbox.add(
        [alert(1, AlertKind.HALT), alert(2, channels=("desk", "mail")), alert(3, channels=())]
    )
    outbox.take(Taken("desk", ("desk-1:1",), "sent", 5 * 10**9))
    outbox.take(Failed("mail", "desk-1:2", "mail.example.com answered SMTP code 451", 6))
    return outbox


# ---- test ----


def test_a_test_goes_through_every_channel_and_says_what_became_of_it(
    home: Path, capsys: Captured
) -> None:
    with Hook() as hook:
        file = settings_file(
            home,
            good={"type": "webhook", "url": hook.url},
            bad={"type": "command", "command": ["false"]},
            bare={"type": "apprise"},
        )
        assert main(["alerts", "test", "--config", file]) == 1
    assert capsys.readouterr().out == (
        f"workspace {home}\n"
        "good (webhook): OK\n"
        "bad (command): FAILED: false ended with exit code 1\n"
        "bare (apprise): FAILED: alerts.channels.bare: set LOGOS_ALERTS_BARE_URL in the "
        f"environment or in {home}/.env (readable by you alone: chmod 600)\n"
    )
    [message] = hook.messages
    assert (message["kind"], message["severity"]) == ("test", "info")


def test_one_channel_can_be_named(home: Path, capsys: Captured) -> None:
    file = settings_file(
        home,
        good={"type": "command", "command": ["true"]},
        bad={"type": "command", "command": ["false"]},
    )
    assert main(["alerts", "test", "--config", file, "--channel", "good"]) == 0
    assert "bad" not in capsys.readouterr().out
    assert main(["alerts", "test", "--config", file, "--channel", "godo"]) == 2
    assert "there is no channel godo; there are: bad, good" in capsys.readouterr().err


def test_without_a_file_the_channels_are_those_of_the_sessions(
    home: Path, capsys: Captured
) -> None:
    assert main(["alerts", "test"]) == 2
    assert "no session of this workspace has [alerts]; name a file" in capsys.readouterr().err
    session = FakeSession(home, "desk-1")
    channels = {"own": {"type": "command", "command": ["true"]}}
    content = json.dumps({"session": {}, "alerts": {"channels": channels}})
    (session.folder / "config.json").write_text(content)
    session.end(sealed("ENDED"))
    assert main(["alerts", "test"]) == 0
    assert "own (command): OK" in capsys.readouterr().out


def test_settings_that_are_wrong_or_have_no_alerts_are_refused(
    home: Path, capsys: Captured
) -> None:
    (home / "none.toml").write_text("")
    for command in ("run", "test"):
        assert main(["alerts", command, "--config", "none.toml"]) == 2
        assert "none.toml: it has no [alerts], so nobody would be told" in capsys.readouterr().err
    (home / "bad.toml").write_text("[alerts]\nrate = 0\n")
    assert main(["alerts", "test", "--config", "bad.toml"]) == 2
    error = capsys.readouterr().err
    assert "alerts.rate must be above 0" in error
    assert "alerts.channels is empty" in error


# ---- list ----


def test_a_list_has_each_alert_with_its_deliveries(home: Path, capsys: Captured) -> None:
    noted(home).close()
    assert main(["alerts", "list"]) == 1
    assert capsys.readouterr().out == (
        f"workspace {home}\n"
        "1970-01-01T00:00:01.000Z  halt desk-1: text 1\n"
        "  desk: sent at 1970-01-01T00:00:05.000Z\n"
        "1970-01-01T00:00:02.000Z  feed desk-1: text 2\n"
        "  desk: pending\n"
        "  mail: pending: mail.example.com answered SMTP code 451\n"
        "1970-01-01T00:00:03.000Z  feed desk-1: text 3\n"
        "  no channel wanted it\n"
    )


def test_a_list_can_be_of_the_latest_or_of_what_is_pending(home: Path, capsys: Captured) -> None:
    noted(home).close()
    main(["alerts", "list", "-n", "1", "--json"])
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["desk-1:3"]
    main(["alerts", "list", "--pending", "--json"])
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["deliveries"]["mail"] == {
        "state": "pending",
        "at": None,
        "error": "mail.example.com answered SMTP code 451",
    }


def test_when_nothing_is_pending_the_exit_code_is_0(home: Path, capsys: Captured) -> None:
    assert main(["alerts", "list"]) == 0
    assert capsys.readouterr().out == f"workspace {home}\nno alerts\n"
    outbox = noted(home)
    outbox.take(Taken("desk", ("desk-1:2",), "summary", 7))
    outbox.take(Taken("mail", ("desk-1:2",), "gave up", 7, "HTTP 500"))
    outbox.close()
    assert main(["alerts", "list"]) == 0
    assert "  mail: gave up at 1970-01-01T00:00:00.000Z: HTTP 500\n" in capsys.readouterr().out


def test_an_outbox_that_is_damaged_says_where_and_what_to_do(home: Path, capsys: Captured) -> None:
    noted(home).close()
    with open(alerts_folder(home) / "outbox.jsonl", "ab") as file:
        file.write(b"nonsense\n")
    for command in ("list", "run"):
        assert main(["alerts", command]) == 6
        assert "outbox.jsonl:6: not a note" in capsys.readouterr().err


# ---- run ----


@pytest.mark.long
def test_run_sends_what_there_is_and_ends_when_nothing_runs(home: Path, capsys: Captured) -> None:
    there = home / "got"
    file = settings_file(home, log={"type": "command", "command": ["sh", "-c", f"cat > {there}"]})
    FakeSession(home, "quick").end(sealed("HALTED"))
    words = ["alerts", "run", "--config", file, "--until-idle", "--session", "quick"]
    assert main(words) == 0
    assert capsys.readouterr().out == f"workspace {home}\nalerts go to log\n"
    assert json.loads(there.read_text())["text"] == "HALTED: why"


def test_a_second_sender_ends_with_3_and_names_the_first(home: Path, capsys: Captured) -> None:
    lock = SenderLock(alerts_folder(home))
    file = settings_file(home, log={"type": "command", "command": ["true"]})
    assert main(["alerts", "run", "--config", file]) == 3
    assert "sends the alerts of this workspace already" in capsys.readouterr().err
    lock.close()


@pytest.mark.long
def test_signals_are_whose_they_were_after_a_run(home: Path) -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    assert threading.current_thread() is threading.main_thread()
    assert main(["alerts", "run", "--until-idle"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before

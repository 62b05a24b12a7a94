"""One account is traded by one session at a time, and a refusal names the other one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from venue_tools import KEY

from logos.config import Config, VenueName, make_config
from logos.config.tables.live import VenueSettings
from logos.session.connections import Outside, hold_account
from logos.session.presence import registry
from logos.session.presence.account import AccountBusyError, AccountLock
from logos.session.presence.registry import Registration, enter

LIVE: Config = msgspec.structs.replace(
    make_config({}), venue=VenueSettings(name=VenueName.CCXT, exchange="binance", live=True)
)

HOLDER = """
import sys
from pathlib import Path
from logos.session.presence.account import AccountLock
from logos.session.presence.registry import enter
entry = enter("trade", Path(sys.argv[1]), "first")
AccountLock("ccxt binance", "key", entry.token)
print("held", flush=True)
input()
"""


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Registration]:
    """The entry of a session of another workspace."""
    with closing(enter("trade", tmp_path / "one", "first")) as entry:
        yield entry


def test_the_second_session_is_refused_and_the_first_one_named(
    tmp_path: Path, first: Registration
) -> None:
    held = AccountLock("ccxt binance", "key", first.token)
    words = (
        rf"session first of workspace {tmp_path / 'one'} \(pid \d+\) trades this account at ccxt"
    )
    for _ in range(2):
        with pytest.raises(AccountBusyError, match=words):
            AccountLock("ccxt binance", "key", "other")
    held.close()
    held.close()
    AccountLock("ccxt binance", "key", "other").close()


def test_another_key_or_venue_is_another_account(first: Registration) -> None:
    with (
        closing(AccountLock("ccxt binance", "key", first.token)),
        closing(AccountLock("ccxt binance", "other", first.token)),
        closing(AccountLock("ccxt binance (sandbox)", "key", first.token)),
    ):
        pass


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AccountBusyError, match=f"session first of workspace {tmp_path}"):
            AccountLock("ccxt binance", "key", "other")
    finally:
        holder.kill()
        holder.communicate()
    AccountLock("ccxt binance", "key", "other").close()


def test_one_place_that_both_can_write_is_enough(
    tmp_path: Path, first: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = registry.Place(tmp_path, tmp_path / "shared")
    own = [registry.Place(tmp_path, tmp_path / name) for name in ("a", "b")]
    name = "logos.session.presence.account.places"
    monkeypatch.setattr(name, lambda: [own[0], shared])
    held = AccountLock("ccxt binance", "key", first.token)
    monkeypatch.setattr(name, lambda: [own[1], shared])
    with closing(held), pytest.raises(AccountBusyError):
        AccountLock("ccxt binance", "key", "other")
    assert not list((tmp_path / "b" / "accounts").iterdir()), "what it took first is given back"


def test_no_key_is_written(
    first: Registration, own_registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_CCXT_BINANCE_SANDBOX_KEY", KEY)
    monkeypatch.setenv("LOGOS_CCXT_BINANCE_SANDBOX_SECRET", "very-secret")
    with hold_account(LIVE, None, first.token):
        (lock,) = (own_registry / "accounts").iterdir()
        assert KEY not in lock.name
        assert lock.read_text() == f"{first.token}\n"
        with pytest.raises(AccountBusyError, match=r"at ccxt binance \(sandbox\) already"):
            hold_account(LIVE, None, "other")
    assert not list((own_registry / "accounts").iterdir())


def test_a_session_on_paper_or_with_a_venue_of_the_caller_holds_nothing(
    first: Registration, own_registry: Path
) -> None:
    assert isinstance(hold_account(make_config({}), None, first.token), nullcontext)
    given = Outside(venue=cast(Any, object()))
    assert isinstance(hold_account(LIVE, given, first.token), nullcontext)
    assert not (own_registry / "accounts").exists()

"""Secrets cannot be shown by accident; keys are found where they belong, or asked for by name."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logos.config import CredentialsError, Secret, VenueName, VenueSettings, credentials
from logos.config.credentials import credential_names

HIDDEN = "hunter2"
SECRET = Secret(HIDDEN)


def _raise() -> str:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        return f"{error} {error!r}"


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!s:>20}",
        format(SECRET, "s"),
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - the old way must not leak either
        "key=" + SECRET,
        " ".join([SECRET, SECRET]),
        json.dumps({"key": SECRET}),
        repr({"key": [SECRET]}),
        repr(pickle.dumps(SECRET)),
        repr(pickle.dumps({"key": SECRET}, protocol=0)),
        repr(list(SECRET)),
        SECRET.encode().decode(),
        SECRET.upper() + SECRET[:],
        _raise(),
        repr(logging.LogRecord("a", 1, "b", 1, "%s", (SECRET,), None).getMessage()),
    ],
)
def test_a_secret_shows_its_mask_however_it_is_shown(shown: str) -> None:
    assert HIDDEN not in shown
    assert "*" in shown or "_masked" in shown


def test_only_reveal_gives_the_text() -> None:
    assert SECRET.reveal() == HIDDEN
    assert len(SECRET) == len(Secret("x")) == 3
    assert not hasattr(SECRET, "__dict__")


def test_msgspec_refuses_to_encode_a_secret() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode({"key": SECRET})


def test_a_copy_in_this_process_is_whole_and_a_pickled_one_is_not() -> None:
    assert copy.deepcopy([SECRET])[0].reveal() == HIDDEN
    assert copy.copy(SECRET) is SECRET
    again = pickle.loads(pickle.dumps(SECRET))
    with pytest.raises(ValueError, match="keeps only its mask: look it up anew"):
        again.reveal()
    assert again != SECRET


def test_secrets_are_equal_by_text_and_to_nothing_else() -> None:
    assert Secret(HIDDEN) == SECRET
    assert Secret("other") != SECRET
    others: list[object] = [HIDDEN, "***", str(SECRET), None]
    assert not any(other == SECRET for other in others)
    with pytest.raises(TypeError, match="has no hash"):
        hash(SECRET)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="may not be empty"):
        Secret("")


def venue(name: str, exchange: str = "", *, sandbox: bool = True) -> VenueSettings:
    return VenueSettings(name=VenueName(name), exchange=exchange, sandbox=sandbox)


def look_up(settings: VenueSettings, home: Path, **variables: str) -> Any:
    return credentials(settings, {"LOGOS_HOME": str(home), **variables})


@pytest.mark.parametrize(
    ("settings", "variables", "password"),
    [
        (
            venue("ccxt", "kraken", sandbox=False),
            {"LOGOS_CCXT_KRAKEN_KEY": "k", "LOGOS_CCXT_KRAKEN_SECRET": "s"},
            None,
        ),
        (
            venue("ccxt", "okx"),
            {
                "LOGOS_CCXT_OKX_SANDBOX_KEY": "k",
                "LOGOS_CCXT_OKX_SANDBOX_SECRET": "s",
                "LOGOS_CCXT_OKX_SANDBOX_PASSWORD": "p",
            },
            "p",
        ),
        (
            venue("ccxt", "binance", sandbox=False),
            {"BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s"},
            None,
        ),
        (
            venue("ccxt", "binance"),
            {"BINANCE_SANDBOX_API_KEY": "k", "BINANCE_SANDBOX_API_SECRET": "s"},
            None,
        ),
        (
            venue("ccxt", "kraken", sandbox=False),
            {
                "LOGOS_CCXT_KRAKEN_KEY": "k",
                "LOGOS_CCXT_KRAKEN_SECRET": "s",
                "KRAKEN_API_KEY": "other",
                "KRAKEN_API_SECRET": "other",
            },
            None,
        ),
        (venue("alpaca"), {"APCA_API_KEY_ID": "k", "APCA_API_SECRET_KEY": "s"}, None),
    ],
)
def test_keys_are_found_under_their_names(
    tmp_path: Path, settings: VenueSettings, variables: dict[str, str], password: str | None
) -> None:
    found = look_up(settings, tmp_path, **variables)
    assert (found.key.reveal(), found.secret.reveal()) == ("k", "s")
    assert (found.password.reveal() if found.password else None) == password
    assert found.is_sandbox is settings.sandbox
    assert set(found.names) <= set(variables)
    assert "'k'" not in repr(found)


def test_keys_come_from_dotenv_and_the_process_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KRAKEN_SANDBOX_API_KEY=a\nKRAKEN_SANDBOX_API_SECRET='b'\n")
    found = look_up(venue("ccxt", "kraken"), tmp_path, KRAKEN_SANDBOX_API_KEY="c")
    assert (found.key.reveal(), found.secret.reveal()) == ("c", "b")


def test_missing_keys_are_asked_for_by_name_place_and_source(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError) as caught:
        look_up(venue("ccxt", "binance"), tmp_path)
    assert str(caught.value) == (
        "no sandbox keys for venue ccxt (binance): set LOGOS_CCXT_BINANCE_SANDBOX_KEY and "
        f"LOGOS_CCXT_BINANCE_SANDBOX_SECRET in the environment or in {tmp_path}/.env (readable by "
        "you alone: chmod 600); get them at https://testnet.binance.vision"
    )


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        (venue("alpaca"), "https://app.alpaca.markets, the paper account, API keys"),
        (venue("alpaca", sandbox=False), "app.alpaca.markets, the live account, API keys"),
        (venue("ccxt", "kraken"), "the API key page of your sandbox (test) account at kraken"),
        (venue("ccxt", "kraken", sandbox=False), "the API key page of your account at kraken"),
    ],
)
def test_the_error_says_where_keys_are_to_be_had(
    tmp_path: Path, settings: VenueSettings, source: str
) -> None:
    with pytest.raises(CredentialsError) as caught:
        look_up(settings, tmp_path)
    assert str(caught.value).endswith(source)
    assert all(name in str(caught.value) for name in credential_names(settings)[0][:2])


def test_half_a_pair_names_the_other_half(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError) as caught:
        look_up(venue("ccxt", "kraken", sandbox=False), tmp_path, KRAKEN_API_KEY=HIDDEN)
    assert "set KRAKEN_API_SECRET in" in str(caught.value)
    assert HIDDEN not in str(caught.value)


def test_an_empty_variable_is_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="set APCA_API_SECRET_KEY in"):
        look_up(venue("alpaca"), tmp_path, APCA_API_KEY_ID="k", APCA_API_SECRET_KEY="")


@pytest.mark.parametrize("sandbox", [True, False])
def test_keys_of_the_other_environment_are_named_and_not_used(
    tmp_path: Path, sandbox: bool
) -> None:
    there = credential_names(venue("ccxt", "kraken", sandbox=not sandbox))[0][:2]
    with pytest.raises(CredentialsError) as caught:
        look_up(venue("ccxt", "kraken", sandbox=sandbox), tmp_path, **dict.fromkeys(there, HIDDEN))
    assert str(caught.value).endswith(
        f"{there[0]} is set, but is for venue.sandbox = {str(not sandbox).lower()}"
    )


@pytest.mark.parametrize(
    ("sandbox", "key", "objection"),
    [
        (True, "AKHUNTER2", 'is a live key (it begins with "AK"), and venue.sandbox = true'),
        (False, "PKHUNTER2", 'is a paper key (it begins with "PK"), and venue.sandbox = false'),
    ],
)
def test_an_alpaca_key_that_says_it_is_for_the_other_environment_is_refused(
    tmp_path: Path, sandbox: bool, key: str, objection: str
) -> None:
    with pytest.raises(CredentialsError) as caught:
        look_up(
            venue("alpaca", sandbox=sandbox), tmp_path, APCA_API_KEY_ID=key, APCA_API_SECRET_KEY="s"
        )
    assert objection in str(caught.value)
    assert "HUNTER2" not in str(caught.value)


@pytest.mark.parametrize(("sandbox", "key"), [(True, "PK1"), (False, "AK1"), (True, "CK1")])
def test_an_alpaca_key_of_the_right_kind_or_of_none_is_taken(
    tmp_path: Path, sandbox: bool, key: str
) -> None:
    settings = venue("alpaca", sandbox=sandbox)
    found = look_up(settings, tmp_path, APCA_API_KEY_ID=key, APCA_API_SECRET_KEY="s")
    assert found.key.reveal() == key


@pytest.mark.parametrize("name", ["paper", "mt5", "ib"])
def test_a_venue_without_keys_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(CredentialsError, match=f"venue {name} takes no keys: "):
        look_up(venue(name), tmp_path)

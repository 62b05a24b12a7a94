"""The broker's side of a login against the examples that the standards print."""

from __future__ import annotations

import base64

import pytest
from kafka_logins import Denied, Exchange, Login

EXAMPLES = {
    # RFC 7677, chapter 3.
    "SCRAM-SHA-256": (
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
    # RFC 5802, chapter 5.
    "SCRAM-SHA-1": (
        "QSXCR+Q6sek8bf92",
        "3rfcNHYJY1ZVvWVs7j",
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
}


@pytest.mark.parametrize("mechanism", EXAMPLES)
def test_the_examples_of_the_standards_are_answered_as_printed(mechanism: str) -> None:
    salt, nonce, *said = EXAMPLES[mechanism]
    exchange = Exchange(Login("user", "pencil", mechanism), base64.b64decode(salt), nonce)
    assert [exchange.answer(each.encode()).decode() for each in said[::2]] == said[1::2]
    assert exchange.is_over


@pytest.mark.parametrize("login", [Login("user", "pen", "SCRAM-SHA-256"),
                                   Login("nobody", "pencil", "SCRAM-SHA-256")])  # fmt: skip
def test_a_wrong_password_and_an_unknown_user_are_denied_in_the_same_words(login: Login) -> None:
    salt, nonce, first, _, final, _ = EXAMPLES["SCRAM-SHA-256"]
    exchange = Exchange(login, base64.b64decode(salt), nonce)

    def log_in() -> None:
        for each in (first, final):
            exchange.answer(each.encode())

    with pytest.raises(Denied, match="invalid credentials with SASL mechanism SCRAM-SHA-256"):
        log_in()
    assert not exchange.is_over

"""Operator commands: their words in journals and files; test_engine has what they do."""

from __future__ import annotations

import pytest

from logos.core.commands import command_word, make_command, recorded_command
from logos.core.instrument import instrument
from logos.core.messages import (
    Engage,
    Flatten,
    OperatorCommand,
    PauseSymbol,
    ResumeTrading,
    Suspend,
    UnpauseSymbol,
)
from logos.core.records import CommandRecord
from logos.errors import InvariantBroken
from logos.testing.builders import Scripted, quote, trading_core

COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD")


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("suspend", Suspend(7, "why", "ann")),
        ("resume", ResumeTrading(7, "why", "ann")),
        ("pause", PauseSymbol(7, "why", "ann", "COIN")),
        ("unpause", UnpauseSymbol(7, "why", "ann", "COIN")),
        ("flatten", Flatten(7, "why", "ann")),
        ("engage", Engage(7, "why", "ann")),
    ],
)
def test_every_command_has_a_word_and_is_made_of_it_again(
    word: str, command: OperatorCommand
) -> None:
    assert command_word(command) == word
    assert make_command(word, 7, "why", "ann", "COIN") == command
    assert recorded_command(CommandRecord(1, 1, word, "why", "ann", "COIN"), 7) == command


@pytest.mark.parametrize(("word", "kind"), [("close", Suspend), ("open", ResumeTrading)])
def test_the_words_of_earlier_versions_are_read(word: str, kind: type) -> None:
    assert recorded_command(CommandRecord(1, 1, word, "why", "ann"), 7) == kind(7, "why", "ann")


def test_a_record_of_an_unknown_word_is_a_broken_invariant() -> None:
    with pytest.raises(InvariantBroken, match="unknown command 'dance'"):
        recorded_command(CommandRecord(1, 1, "dance", "why", "ann"), 7)


def test_a_paused_symbol_that_the_session_does_not_trade_is_a_key_error() -> None:
    core = trading_core(Scripted(), COIN)
    core.start(0)
    core.step(quote(COIN, 1, "99", "101"))
    with pytest.raises(KeyError, match="OTHER"):
        core.step(PauseSymbol(2, "look", "ann", "OTHER"))

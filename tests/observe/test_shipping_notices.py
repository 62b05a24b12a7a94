"""Brokers that are away are told of once, and again when they are back."""

from __future__ import annotations

import pytest

from logos.observe.shipping.notices import AWAY_S, WELL_S, Notices

DOWN = "4/4 brokers are down"
REFUSED = "127.0.0.1:9092/1: Connect failed: refused (after 0ms, 3 identical errors suppressed)"


class Desk:
    """Notices with a clock that is moved, and what they said."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.said: list[str] = []
        self.notices = Notices("kafka:a:1", self.said.append, lambda: self.now_s)

    def see(self, *problems: str, every_s: float = 0.05) -> list[str]:
        """What is said while these come, one after the other."""
        before = len(self.said)
        for problem in problems:
            self.notices.see(problem)
            self.now_s += every_s
        return self.said[before:]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_kind_of_problem_is_told_once_however_often_it_comes(desk: Desk) -> None:
    said = desk.see(*[DOWN, REFUSED, REFUSED.replace("3 id", "4 id")] * 1_000)
    assert [line.split(";")[0] for line in said] == [f"kafka:a:1: {DOWN}", f"kafka:a:1: {REFUSED}"]
    assert desk.see("", "", "") == ["kafka:a:1: connected"]


def test_nothing_is_told_while_all_is_well(desk: Desk) -> None:
    assert desk.see(*[""] * 1_000) == []


def test_a_connection_that_comes_and_goes_says_nothing_new(desk: Desk) -> None:
    assert len(desk.see(DOWN, "")) == 2
    assert desk.see(*[DOWN, ""] * 1_000) == []


def test_one_that_stays_away_after_that_is_told_again(desk: Desk) -> None:
    desk.see(DOWN, "", DOWN, "")
    said = desk.see(*[DOWN] * 20, every_s=AWAY_S / 5)
    assert [line.split(";")[0] for line in said] == [f"kafka:a:1: {DOWN}"]
    assert desk.see("") == ["kafka:a:1: connected"]


def test_after_a_while_without_a_problem_the_next_is_news(desk: Desk) -> None:
    desk.see(DOWN)
    desk.see(*[""] * 10, every_s=WELL_S / 5)
    assert len(desk.see(DOWN)) == 1


def test_words_that_are_never_the_same_are_bounded(desk: Desk) -> None:
    words = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(5_000)]
    assert len(desk.see(*words)) < 10

"""What a dialect answers has the fields and types of what the exchange documents or has answered.

`samples/EXCHANGE.json` holds such answers, each with its source: facts, cut to one row a list. A
field that a dialect makes up would be read here and be missing there.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from round_trips import CASES, Bench, Case, bench

from logos.core.outbox import CancelOrder
from logos.simulators.exchange.server import Handler

SAMPLES = Path(__file__).parent / "samples"
CITED = [case for case in CASES if (SAMPLES / f"{case.exchange_id}.json").exists()]
ID = re.compile(r"(?i)id$")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def samples(case: Case) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        (SAMPLES / f"{case.exchange_id}.json").read_text(encoding="utf-8")
    )
    return found


def by_request(case: Case) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for sample in samples(case):
        assert sample["source"]
        found.setdefault(sample["request"], []).append(sample)
    return found


def wrong(told: Any, sample: Any, where: str = "") -> list[str]:
    """In what an answer differs from a sample: fields it has made up, types that are others.

    An object under ids (no name of it is in the sample) is compared by its first member. Empty text
    and null are of any kind, for a sample shows one case.
    """
    if isinstance(told, dict) and isinstance(sample, dict):
        if not told or not sample:
            return []
        if not set(told) & set(sample):
            return wrong(next(iter(told.values())), next(iter(sample.values())), f"{where}.ID")
        found = [f"{where}.{name} is made up" for name in told if name not in sample]
        for name, value in told.items():
            if name in sample:
                found += wrong(value, sample[name], f"{where}.{name}")
        return found
    if isinstance(told, list) and isinstance(sample, list):
        return wrong(told[0], sample[0], f"{where}[]") if told and sample else []
    if told in (None, "") or sample in (None, ""):
        return []
    if isinstance(told, str) and isinstance(sample, str) and ID.search(where):
        return []  # ids are text, whatever they look like
    if kind(told) != kind(sample):
        return [f"{where} is {kind(told)}, and {kind(sample)} in the sample"]
    return []


def kind(value: Any) -> str:
    """What kind of value it is: a figure in text is told from words."""
    if isinstance(value, str):
        return "a figure in text" if NUMBER.fullmatch(value) else "text"
    if isinstance(value, bool):
        return "a truth"
    return "a number" if isinstance(value, int | float) else type(value).__name__


def test_the_comparison_finds_what_differs() -> None:
    assert wrong({"a": 1}, {"a": 2.5}) == []
    assert wrong({"a": {"X7": {"b": "1"}}}, {"a": {"Y8": {"b": "2"}}}) == []
    assert wrong({"a": 1, "z": 1}, {"a": 1}) == [".z is made up"]
    assert wrong({"a": "1"}, {"a": 1}) == [".a is a figure in text, and a number in the sample"]
    assert wrong({"a": [{"b": "no"}]}, {"a": [{"b": "1"}]}) == [
        ".a[].b is text, and a figure in text in the sample"
    ]


async def all_questions(made: Bench) -> None:
    """Every request of a profile once, with something to tell each time."""
    for number in (1, 2, 3):
        await made.submit(number)
    made.account.fill(made.placed()[0].client_id, "0.001")
    await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    await made.venue.find("s-1-3", "COIN")
    await made.venue.open_orders()
    await made.venue.fills_since(made.clock.now_ns() - 10**9)
    await made.venue.balances()
    async with made.another_life() as again:
        await again.find("s-1-1", "COIN")
        await again.find("s-1-9", "COIN")


def answers(heard: Mapping[str, list[Any]], requests: Mapping[str, str], name: str) -> list[Any]:
    """What was answered to requests of that name, with an id behind its path or without."""
    line = requests[name]
    others = set(requests.values()) - {line}
    under = line.rstrip("/") + "/"
    longer = [
        each for each in heard if each == line or (each.startswith(under) and each not in others)
    ]
    assert longer, f"nothing was asked of {line}"
    return [answer for each in longer for answer in heard[each]]


@pytest.mark.long
@pytest.mark.parametrize("case", CITED, ids=lambda case: case.exchange_id)
def test_each_answer_is_of_the_form_of_its_sample(case: Case) -> None:
    heard: dict[str, list[Any]] = {}

    @web.middleware
    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if isinstance(response, web.Response):
            line = f"{request.method} {request.path}"
            heard.setdefault(line, []).append(json.loads(response.text or "null"))
        return response

    async def story() -> None:
        async with bench(case, middlewares=(listen,)) as made:
            await all_questions(made)
            for name, of_name in by_request(case).items():
                for told in answers(heard, made.requests, name):
                    # A refusal has a sample of its own: the one that is most like it counts.
                    found = min((wrong(told, each["answer"]) for each in of_name), key=len)
                    assert found == [], f"{name}: {[each['source'] for each in of_name]}"

    asyncio.run(story())


def test_every_private_address_of_every_dialect_is_held_to_a_sample() -> None:
    for case in CASES:
        if case.dialect is not None:
            requests = case.dialect.requests
            sampled = {requests[name] for name in by_request(case)}
            assert set(requests.values()) <= sampled, case.exchange_id

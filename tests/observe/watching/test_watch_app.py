"""The screen with its keys, driven by textual's pilot: nothing is done without a yes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from waiting import wait_until
from watch_views import NOW_NS, text, view, watched

from logos.observe.watching.app import Panel, WatchApp
from logos.observe.watching.deeds import Answer, Ask, Question, Tell
from logos.observe.watching.screen import PLAIN, UNICODE
from logos.observe.watching.sessions import View, Watched

Look = Callable[[int, tuple[str, str] | None], View]
pytestmark = pytest.mark.long
TWO = view(watched("desk-1"), watched("desk-2"))


class Desk:
    """What the keys ask and do, noted instead of done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def asks(self) -> dict[str, Ask]:
        return {"pause": self._ask("pause"), "kill": self._ask("kill")}

    def _ask(self, what: str) -> Ask:
        def ask(session: Watched | None) -> Question | str:
            if session is None:
                return "no session is chosen"
            name = session.session_id

            def act(tell: Tell) -> int:
                self.done.append(f"{what} {name}")
                tell(f"engaging {name}")
                self.may_end.wait(30)
                return 3

            return Question(f"{what}?", ["sure?"], [Answer("y", "yes", f"logos {what}", act)])

        return ask


def looking_at(seen: View) -> Look:
    return lambda now_ns, chosen: msgspec.structs.replace(seen, now_ns=now_ns)


def drive(
    steps: Callable[[Pilot[None], WatchApp], Awaitable[None]],
    look: Look | None = None,
    desk: Desk | None = None,
    size: tuple[int, int] = (80, 24),
    **options: Any,
) -> WatchApp:
    app = WatchApp(look or looking_at(TWO), (desk or Desk()).asks(), UNICODE, **options)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            while app.view is None:
                await pilot.pause(0.01)
            app.draw()
            await steps(pilot, app)

    asyncio.run(run())
    return app


def shown(app: WatchApp) -> str:
    return "\n".join(text(line) for line in app.lines())


def panel(app: WatchApp) -> str:
    """The words of the panel that is open."""
    assert isinstance(app.screen, Panel)
    return "\n".join(piece.text for piece in app.screen._words())


def test_the_arrows_choose_a_session() -> None:
    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        assert "▸ desk-1" in shown(app)
        await pilot.press("down")
        assert "▸ desk-2" in shown(app)
        await pilot.press("down")
        assert "▸ desk-1" in shown(app)
        await pilot.press("up")
        assert app.chosen is not None
        assert app.chosen.session_id == "desk-2"

    drive(steps)


def test_a_key_asks_once_and_only_yes_does_it() -> None:
    desk = Desk()

    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        for key in ("n", "escape", "enter", "space", "k", "p", "q"):
            await pilot.press("k")
            assert "kill?" in panel(app)
            await pilot.press(key)
            assert not isinstance(app.screen, Panel), key
            assert desk.done == []
        await pilot.press("down", "p", "y")
        await asyncio.to_thread(app.deeds[0].wait, 10)
        await pilot.pause()
        assert panel(app).splitlines()[:3] == [
            *("$ logos pause", "engaging desk-2", "exit code 3   (Esc: back to the screen)"),
        ]
        await pilot.press("y")  # no second time
        assert desk.done == ["pause desk-2"]
        await pilot.press("escape", "k", "y")

    app = drive(steps, desk=desk)
    wait_until(lambda: app.deeds[-1].is_done, "the kill")
    assert desk.done == ["pause desk-2", "kill desk-2"]
    assert [deed.command for deed in app.deeds] == ["logos pause", "logos kill"]


def test_a_kill_goes_on_while_the_screen_is_used_and_left() -> None:
    desk = Desk()
    desk.may_end.clear()

    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        await pilot.press("k", "y")
        await pilot.pause()
        assert "working" in panel(app)
        await pilot.press("escape", "down")
        assert "▸ desk-2" in shown(app)
        await pilot.press("p", "y")
        await pilot.pause()
        assert desk.done == ["kill desk-1", "pause desk-2"], "one need not wait for the other"
        await pilot.press("escape", "q")

    app = drive(steps, desk=desk)
    assert not app.deeds[0].is_done
    desk.may_end.set()
    wait_until(lambda: app.deeds[0].is_done and app.deeds[1].is_done, "both")
    assert app.deeds[0].lines() == ["engaging desk-1"]


def test_what_fails_says_that_it_was_not_done() -> None:
    def fail(tell: Tell) -> int:
        raise OSError(28, "No space left on device")

    question = Question("kill?", [], [Answer("y", "yes", "logos kill", fail)])

    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        app._asks = {"kill": lambda _: question}
        await pilot.press("k", "y")
        await asyncio.to_thread(app.deeds[0].wait, 10)
        await pilot.pause()
        assert "NOT DONE: OSError: [Errno 28] No space left on device" in panel(app)
        assert "exit code 1" in panel(app)

    drive(steps)


def test_where_there_is_nothing_to_ask_the_reason_is_shown() -> None:
    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        assert "no session is running" in shown(app)
        await pilot.press("down", "p")
        assert "no session is chosen" in panel(app)
        await pilot.press("escape", "h")
        assert "stop all trading" in panel(app)

    drive(steps, looking_at(view()))


def test_the_screen_follows_the_size_of_its_terminal() -> None:
    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        for columns, rows in ((120, 40), (80, 24), (45, 14), (20, 5), (1, 1), (80, 24)):
            await pilot.resize_terminal(columns, rows)
            await pilot.pause()
            drawn = str(app.query_one("#all", Static).content).split("\n")
            assert ({len(line) for line in drawn}, len(drawn)) == ({columns}, rows), "at once"
            assert {len(text(line)) for line in app.lines()} == {columns}
            assert len(app.lines()) == rows
            await pilot.press("k")
            await pilot.press("n")
        assert "▸ desk-1" in shown(app)

    drive(steps)


def test_a_look_that_fails_or_hangs_is_told_and_the_last_one_stays() -> None:
    looks: list[int] = []

    def look(now_ns: int, chosen: object) -> View:
        looks.append(now_ns)
        if len(looks) > 1:
            raise OSError(5, "Input/output error")
        return msgspec.structs.replace(TWO, now_ns=NOW_NS)

    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        assert "NOT REFRESHED for" in shown(app), "this look is years old"
        app._looks.again.set()
        while len(looks) < 2 or not app._looks.problem:
            await pilot.pause(0.01)
        assert "Input/output error" in shown(app)
        assert "▸ desk-1" in shown(app)

    drive(steps, look)


def test_nothing_in_a_name_is_markup_or_a_key() -> None:
    name = "[bold red]x[/]\x1b[2J"

    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        assert "[bold red]x[/]\\u001b[2J" in shown(app)
        await pilot.press("k")
        await pilot.pause()

    drive(steps, looking_at(view(watched(name))), size=(120, 24))


def test_a_terminal_without_unicode_gets_ascii() -> None:
    app = WatchApp(looking_at(TWO), Desk().asks(), PLAIN, is_plain=True)

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            while app.view is None:
                await pilot.pause(0.01)
            assert shown(app).isascii()

    asyncio.run(run())


def test_a_drawing_that_comes_due_while_the_screen_is_taken_down_harms_nothing() -> None:
    async def steps(pilot: Pilot[None], app: WatchApp) -> None:
        await app.screen.remove_children()
        app.draw()
        await pilot.press("k")
        open_panel = app.screen
        assert isinstance(open_panel, Panel)
        await open_panel.remove_children()
        open_panel._draw()

    drive(steps)

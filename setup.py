"""Builds the core as C extensions when asked to: LOGOS_COMPILE=1. Otherwise pure Python.

The same sources serve both: an extension stands beside its .py file and wins the import, and
without it the .py file is used. `make compiled` builds in place, `make interpreted` undoes it.
"""

import hashlib
import os
from pathlib import Path

from setuptools import setup

# Strategies, messages, the outbox and records stay interpreted: msgspec structs gain nothing
# from mypyc.
COMPILED = (
    "logos.audit.exposure",
    "logos.audit.files.figures",
    "logos.audit.gatekeeping",
    "logos.audit.money.averages",
    "logos.audit.money.quick",
    "logos.audit.open_orders",
    "logos.audit.orders",
    "logos.audit.rules",
    "logos.core.fixed",
    "logos.core.bars.terms",
    "logos.core.bars.spans",
    "logos.core.bars.grid",
    "logos.core.bars.maker",
    "logos.core.bars.history",
    "logos.core.bars.book",
    "logos.core.bars.keeper",
    "logos.core.terms.funding",
    "logos.core.terms.marks",
    "logos.core.terms.market_hours",
    "logos.core.terms.payments",
    "logos.core.guards.limits",
    "logos.core.instrument",
    "logos.core.orders",
    "logos.core.inventory",
    "logos.core.account",
    "logos.core.fees",
    "logos.core.prices.watch",
    "logos.core.instrument_state",
    "logos.core.intents",
    "logos.core.guards.own",
    "logos.core.risk",
    "logos.core.gates",
    "logos.core.reports",
    "logos.core.matching",
    "logos.core.order_manager",
    "logos.core.handlers.figures",
    "logos.core.handlers.order_events",
    "logos.core.handlers.hours",
    "logos.core.handlers.agenda",
    "logos.core.handlers.times",
    "logos.core.handlers.callbacks",
    "logos.core.handlers.timekeeping",
    "logos.core.context",
    "logos.core.recording",
    "logos.core.exits.lost",
    "logos.core.safety",
    "logos.core.prices.actions",
    "logos.core.prices.sanity",
    "logos.core.market",
    "logos.core.exits.targets",
    "logos.core.pipeline",
    "logos.core.commands",
    "logos.core.engine",
    "logos.core.exits.held",
    "logos.core.exits.keeper",
    "logos.indicators.base",
    "logos.indicators.averages",
    "logos.indicators.spread",
    "logos.indicators.channels",
    "logos.indicators.momentum",
    "logos.indicators.crossing",
    "logos.journal.codec",
    "logos.journal.jsonlog",
    "logos.journal.minutes",
    "logos.session.artifacts.rows",
    "logos.session.artifacts.lines",
    "logos.session.artifacts.derived.cells",
    "logos.session.artifacts.derived.pairing",
    "logos.execution.incoming.inbox",
    "logos.execution.latency",
    "logos.execution.pulse",
    "logos.session.session",
)
"""Modules by their dotted names: of the core, of what runs besides at every order or bar or at
every turn of a live session, and of who judges every order again in `logos verify`."""


def extensions() -> list:
    """The extension modules; SystemExit when they cannot be built."""
    sources = [Path("src", *name.split(".")).with_suffix(".py") for name in COMPILED]
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise SystemExit(
            f"LOGOS_COMPILE=1: no such module: {', '.join(missing)}; "
            "correct the list COMPILED in setup.py, or build without LOGOS_COMPILE"
        )
    try:
        import msgspec  # noqa: F401  what is compiled builds on its types: never without them
        from mypyc.build import mypycify
    except ImportError as error:
        raise SystemExit(
            f"LOGOS_COMPILE=1 needs mypy and msgspec in the environment that builds ({error}): "
            "pip install mypy msgspec setuptools wheel, then build with --no-build-isolation"
        ) from None
    note_sources(sources)
    # What is not compiled needs more libraries, which are not there where a wheel is built.
    options = ["--follow-imports=silent", *(str(source) for source in sources)]
    return mypycify(options, opt_level="3", group_name="logos_core")


def note_sources(sources: list[Path]) -> None:
    """Write what the extensions are built from, for `logos.installation.stale_core` to compare."""
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to("src/logos").as_posix(), path) for path in sources):
        digest.update(f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    Path("src/logos/core/built_from.txt").write_text(digest.hexdigest() + "\n", encoding="ascii")


setup(ext_modules=extensions() if os.environ.get("LOGOS_COMPILE") == "1" else [])

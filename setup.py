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
    "fixed",
    "bars.terms",
    "bars.spans",
    "bars.grid",
    "bars.maker",
    "bars.history",
    "bars.book",
    "bars.keeper",
    "terms.funding",
    "terms.marks",
    "terms.market_hours",
    "terms.payments",
    "guards.limits",
    "instrument",
    "orders",
    "inventory",
    "account",
    "fees",
    "prices.watch",
    "instrument_state",
    "intents",
    "guards.own",
    "risk",
    "gates",
    "reports",
    "matching",
    "order_manager",
    "handlers.figures",
    "handlers.order_events",
    "handlers.hours",
    "handlers.agenda",
    "handlers.times",
    "handlers.callbacks",
    "handlers.timekeeping",
    "context",
    "recording",
    "exits.lost",
    "safety",
    "prices.actions",
    "prices.sanity",
    "market",
    "exits.targets",
    "pipeline",
    "commands",
    "engine",
    "exits.held",
    "exits.keeper",
)
"""Modules of `logos.core`."""

COMPILED_INDICATORS = ("base", "averages", "spread", "channels", "momentum", "crossing")
"""Modules of `logos.indicators`."""


def extensions() -> list:
    """The extension modules of the compiled core; SystemExit when they cannot be built."""
    sources = [Path("src/logos/core") / f"{name.replace('.', '/')}.py" for name in COMPILED]
    sources += [Path("src/logos/indicators") / f"{name}.py" for name in COMPILED_INDICATORS]
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise SystemExit(
            f"LOGOS_COMPILE=1: no such module: {', '.join(missing)}; "
            "correct the list COMPILED in setup.py, or build without LOGOS_COMPILE"
        )
    try:
        from mypyc.build import mypycify
    except ImportError:
        raise SystemExit(
            "LOGOS_COMPILE=1 needs mypy in the environment that builds: "
            "pip install mypy setuptools wheel, then build with --no-build-isolation"
        ) from None
    note_sources(sources)
    # What is not compiled needs libraries that are not there where a wheel is built.
    options = ["--follow-imports=silent", *(str(source) for source in sources)]
    return mypycify(options, opt_level="3", group_name="logos_core")


def note_sources(sources: list[Path]) -> None:
    """Write what the extensions are built from, for `logos.installation.stale_core` to compare."""
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to("src/logos").as_posix(), path) for path in sources):
        digest.update(f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    Path("src/logos/core/built_from.txt").write_text(digest.hexdigest() + "\n", encoding="ascii")


setup(ext_modules=extensions() if os.environ.get("LOGOS_COMPILE") == "1" else [])

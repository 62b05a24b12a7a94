"""`logos sessions restore`: a session's folder, made of what was shipped of it to Kafka."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec

from logos import paths
from logos.cli.running.here import say
from logos.cli.running.topics import topics_of
from logos.config import load_config
from logos.config.terms.shards import ship_of
from logos.errors import ConfigError
from logos.observe.shipping.branches import NotRestorable
from logos.observe.shipping.reading import TopicsUnreadable
from logos.observe.shipping.restoring import Restored, restore_session


def restore_shipped(options: argparse.Namespace, home: Path) -> int:
    """Make the folder of a session in the workspace `home`; the exit code.

    Raises ConfigError, WorkspaceError, OSError.
    """
    named = {"brokers": options.kafka, "prefix": options.prefix}
    given = {name: value for name, value in named.items() if value is not None}
    overrides = {"ship": {"kafka": given}} if given else {}
    settings = ship_of(load_config(options.config, overrides, sends_orders=False))
    try:
        folder = paths.within(home, paths.session_dir(options.session_id))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        with topics_of(settings) as topics:
            restored = restore_session(topics, options.session_id, folder, options.uuid)
    except (NotRestorable, TopicsUnreadable) as error:
        print(f"logos sessions: {options.session_id} is not restored: {error}", file=sys.stderr)
        return 1
    except FileExistsError:
        raise ConfigError(f"{folder} is there already; a session is never overwritten") from None
    if options.json:
        print(json.dumps(msgspec.to_builtins(restored)))
    else:
        say(words_of(restored))
        say(next_of(restored))
    return 0


def words_of(restored: Restored) -> str:
    """How far a session was restored."""
    words = (
        f"session {restored.session} restored: {restored.records} records, {restored.inputs} lines "
        "of inputs"
    )
    if restored.inputs_left_out:
        words += f" ({restored.inputs_left_out} behind the last record left out)"
    return f"{words}; what it did behind that was not shipped, and is not known"


def next_of(restored: Restored) -> str:
    """What can be done with it."""
    verify = f"next: logos verify {restored.session}"
    if restored.sends_orders:
        return (
            f"{verify}. It sent real orders, so it is not resumed: an order that it sent last may "
            "be missing here. Close its orders and positions at the venue, and start a new session "
            "under another id"
        )
    return f"{verify}; logos resume {restored.session}"

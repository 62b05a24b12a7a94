"""docs/DASHBOARD.md names the limits, addresses, options and variables of the code."""

from __future__ import annotations

import argparse
import re

from places import PROJECT

from logos.cli.observing import dashboard
from logos.observe.dashboard import access, app, curve, journal, listing, log, server, stream

TEXT = " ".join((PROJECT / "docs" / "DASHBOARD.md").read_text(encoding="utf-8").split())


def test_the_text_has_the_limits_of_the_code() -> None:
    for words in (
        f"the {listing.SHOWN_MAX} whose journals changed last",
        f"last {journal.END_BYTES >> 20} MiB are taken in whole",
        f"at most {2 * curve.BUCKETS_MAX + 2:,} points",
        f"{log.LINES_MAX} lines a page",
        f"for {server.STALLED_S:g} seconds is disconnected",
        f"more than {stream.BEHIND_MAX >> 20} MiB behind",
        f"At most {app.STREAMS_MAX} browsers follow",
        f"{server.CONNECTIONS_MAX} connections are open",
        f"a request may take {server.REQUEST_S:g} seconds",
        f"({access.TOKEN_CHARACTERS_MIN} characters or more)",
        f"listens on {dashboard.LISTEN_DEFAULT}",
        f"`{access.TOKEN}`",
    ):
        assert words in TEXT, words
    assert access.COOKIE_S == 12 * 3600, "cookie of twelve hours"
    assert app.COMPARED_MAX == 6, "two to six sessions"


def test_every_option_and_address_is_in_the_text() -> None:
    parser = argparse.ArgumentParser()
    dashboard.add_arguments(parser)
    options = {word for action in parser._actions for word in action.option_strings}
    missing = [word for word in sorted(options) if word.startswith("--") and word not in TEXT]
    assert missing == ["--help"]
    source = (PROJECT / "src/logos/observe/dashboard/app.py").read_text(encoding="utf-8")
    paths = re.findall(r'Route\("(/api/[^"]+)"', source)
    assert len(paths) > 4
    for path in paths:
        assert f"`{path.replace('{session}', 'ID')}" in TEXT, path

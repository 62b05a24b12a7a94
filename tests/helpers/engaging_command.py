"""`logos kill` in a process of its own that starts on a line of input, and times its engagement.

The command is the real one, from its command line on. Last it prints one JSON object: when
`engage` was called and when it returned (monotonic nanoseconds), and the command's exit code.
"""

from __future__ import annotations

import json
import sys
import time

from logos.cli import kill  # noqa: F401  (imported before the line, so that no import delays it)
from logos.cli.main import main
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.status import EngageResult

moments: list[int] = []
_engage = CircuitBreaker.engage


def timed_engage(breaker: CircuitBreaker, reason: str, by: str) -> EngageResult:
    """The real engagement between two looks at the clock."""
    moments.append(time.monotonic_ns())
    result = _engage(breaker, reason, by)
    moments.append(time.monotonic_ns())
    return result


if __name__ == "__main__":
    CircuitBreaker.engage = timed_engage  # type: ignore[method-assign, assignment]
    print("ready", flush=True)
    sys.stdin.readline()
    code = main(["kill", "--reason", "campaign", "--by", "harness", "--timeout", sys.argv[1]])
    print(json.dumps({"began_ns": moments[0], "returned_ns": moments[1], "exit": code}))

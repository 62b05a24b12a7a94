"""Tell an operator's Ctrl-C from a KeyboardInterrupt that somebody's code raised by itself.

Both arrive as the same exception, in the middle of a strategy. The first is a stop by the operator,
the second a failure of the strategy. Python's own handler has no frame: its exception begins at
whatever instruction was under way, and never at a `raise`. A handler written in Python is the frame
in which its exception begins. Signals reach the main thread alone.
"""

from __future__ import annotations

import signal
import threading
from opcode import opmap
from typing import Final

_RAISE: Final = opmap["RAISE_VARARGS"]


class OperatorInterrupt(KeyboardInterrupt):
    """A second signal to a running session: raised by the session's own handler, by nobody else."""


def is_interrupt(error: BaseException | None) -> bool:
    """Whether `error` came of a signal, and not of code that raised it."""
    if isinstance(error, OperatorInterrupt):
        return True
    if not isinstance(error, KeyboardInterrupt):
        return False
    if threading.current_thread() is not threading.main_thread():
        return False
    place = error.__traceback__
    if place is None:
        return False
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    if getattr(signal.getsignal(signal.SIGINT), "__code__", None) is code:
        return True
    return code.co_code[place.tb_lasti] != _RAISE

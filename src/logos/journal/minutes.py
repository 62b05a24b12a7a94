"""The text of a minute: what every time in lines and tables begins with.

Times come in order, so that a day's text is worked out once; a minute's is put together.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE

_MINUTES_A_DAY: Final = NS_PER_DAY // NS_PER_MINUTE
_EPOCH: Final = date(1970, 1, 1).toordinal()
_TWO_DIGITS: Final = tuple([f"{number:02d}:" for number in range(60)])


def minute_text(minute: int) -> str:
    """Day, hour and minute of so many minutes since 1970, UTC: `2024-01-31T09:05:`.

    Raises ValueError or OverflowError outside of the years 1 to 9999.
    """
    day = minute // _MINUTES_A_DAY
    rest = minute - day * _MINUTES_A_DAY
    day_text: str = _day_text(day)
    return f"{day_text}{_TWO_DIGITS[rest // 60]}{_TWO_DIGITS[rest % 60]}"


@lru_cache(maxsize=64)
def _day_text(day: int) -> str:
    return f"{date.fromordinal(_EPOCH + day).isoformat()}T"

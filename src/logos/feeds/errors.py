"""The one error of the data rooms."""

from __future__ import annotations


class DataError(Exception):
    """Market data that cannot be used as it stands.

    The message says what is wrong, where (file:line where there is one) and what to do.
    """

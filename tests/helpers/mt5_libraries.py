"""Import first: a test of the bridge is skipped, with the reason, where ZeroMQ is missing."""

from __future__ import annotations

import pytest

pytest.importorskip("zmq", reason="the MT5 bridge is tried with the extra logos-trading[mt5]")

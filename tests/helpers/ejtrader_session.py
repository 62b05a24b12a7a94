"""What a user of ejtraderMT does, in a process of its own: asks, buys, waits, cancels, closes.

Run: python ejtrader_session.py SYSTEM DATA LIVE STREAMING SYMBOL. It prints one JSON object. The
client's ports are fixed in its source, so they are exchanged on their way out.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import zmq

PORTS = dict(zip(("15555", "15556", "15557", "15558"), sys.argv[1:5], strict=True))
_connect = zmq.Socket.connect


def connect(self: Any, address: str) -> Any:
    """Connect to the port that stands in for a fixed one."""
    host, _, port = address.rpartition(":")
    return _connect(self, f"{host}:{PORTS.get(port, port)}")


def main(symbol: str) -> dict[str, Any]:
    """The session, told."""
    zmq.Socket.connect = connect  # type: ignore[assignment, method-assign]
    client = import_module("ejtraderMT").Metatrader("127.0.0.1")
    now = datetime.now()
    days = [(now + timedelta(days=number)).strftime("%d/%m/%Y") for number in (-1, 2)]
    told: dict[str, Any] = {"offset": client.utcoffset, "account": client.accountInfo()}
    told["candles"] = client.history(symbol, "M1", *days)
    told["ticks"] = client.history(symbol, "TICK", *days)["data"][:3]
    told["frame"] = list(client.historyDataFrame(symbol, "TICK", *days).columns)
    told["short"] = client.Shorthistory(symbol, "TICK", 600)["data"][:1]
    client.buy(symbol, 0.02, 0, 0)
    told["held"] = client.positions()
    client.buyLimit(symbol, 0.01, 0, 0, price=1.0)
    told["waiting"] = client.orders()
    client.cancel_all()
    told["cancelled"] = client.orders()
    client.close_all()
    told["closed"] = client.positions()
    return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[5])))

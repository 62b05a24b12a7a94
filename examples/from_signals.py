"""Drive a session with signals that some other program computed: see signals.csv beside this."""

from pathlib import Path

from logos.session import run

if __name__ == "__main__":
    here = Path(__file__).parent
    result = run(
        {
            "strategy": {
                "name": "signals",
                # The times in the file are when the signal is known. For signals stamped with the
                # open of their minute, add "delay_s": 60: nobody knows a bar before it closes.
                "params": {"file": str(here / "signals.csv"), "quantity": "100"},
            },
            "data": {
                "paths": [str(here.parent / "data" / "cache")],
                "symbols": ["ACME", "BTCUSDT"],
                "accept": ["gap"],
            },
            "account": {"balances": {"USD": "100000", "USDT": "100000"}},
        }
    )
    print(f"{result.status.value}: see {result.folder}")

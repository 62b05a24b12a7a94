"""Two symbols against each other, with the bundled strategy `pairs`.

One leg is always sold short. EURUSD is traded on margin, where that is no matter; ACME is spot, so
the account holds some of it that can be sold and bought back.
"""

from pathlib import Path

from logos.session import run

if __name__ == "__main__":
    data = Path(__file__).parent.parent / "data" / "cache"
    result = run(
        {
            "strategy": {
                "name": "pairs",
                "params": {"first": "ACME", "second": "EURUSD", "window": 120, "entry": 2.5},
            },
            "data": {
                "paths": [str(data)],
                "symbols": ["ACME", "EURUSD"],
                "accept": ["gap"],
            },
            "account": {"balances": {"USD": "100000", "ACME": "500"}},
            "paper": {"fill": "next_open", "slippage_ticks": 1},
            "session": {"seed": 1},
        }
    )
    print(f"{result.status.value}: see {result.folder}")

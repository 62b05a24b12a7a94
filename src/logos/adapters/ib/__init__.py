"""Interactive Brokers through a TWS or IB Gateway on this machine, and the library ib_async."""

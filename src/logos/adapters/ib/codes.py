"""What a gateway's statuses and codes say of an order.

- An order is taken when the broker says so (PreSubmitted, Submitted and what may follow them).
  PendingSubmit says that it was not heard of yet:
  interactivebrokers.github.io/tws-api/order_submission.html, "Order Status Message".
- Codes: interactivebrokers.github.io/tws-api/message_codes.html.
"""

from __future__ import annotations

from typing import Final

TAKEN: Final = frozenset(("PreSubmitted", "Submitted", "Filled", "Cancelled", "ApiCancelled"))
CANCEL_TAKEN: Final = frozenset(("PendingCancel", "Cancelled", "ApiCancelled", "Inactive"))
WARNINGS: Final = frozenset((399, 404, 10349))
"""About an order that is taken all the same; notices (2100 to 2199) are, too."""
REFUSALS: Final = frozenset(
    (
        *(106, 107, 109, 110, 111, 113, 116, 131, 132, 133, 140, 141, 144, 145, 146, 147, 151),
        *(152, 153, 157, 163, 168, 200, 201, 203, 320, 321, 325, 328, 383, 387, 388, 389, 403),
        *(432, 433, 434, 435, 436, 10243, 10289, 10311, 10318),
    )
)
"""The order does not exist: it was read, and not taken."""
COLLISIONS: Final = frozenset((103, 104, 105))
"""The number belongs to another order, so this one does not exist."""
NO_CANCEL: Final = frozenset((135, 136, 161, 10147, 10148))
BROKER_LOST: Final = frozenset((1100, 2110))
BROKER_FOUND: Final = frozenset((1101, 1102))
ENDS: Final = frozenset(("Filled", "Cancelled", "ApiCancelled"))
"""An order that has this status has ended."""

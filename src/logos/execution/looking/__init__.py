"""How a venue is asked about orders: one by one, by lists, woken by its own stream."""

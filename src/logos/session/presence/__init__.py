"""Signs of a running session: lock, heartbeat, operator commands, metrics."""

"""What a session of a fleet has besides: its permit, and where the coordinator is."""

"""The full screen of `logos watch`: sessions, positions, limits, feeds and events."""

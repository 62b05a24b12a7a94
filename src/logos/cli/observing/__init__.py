"""Commands of the processes that watch sessions: they read what sessions write."""

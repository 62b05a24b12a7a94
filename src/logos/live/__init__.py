"""The command line: `logos` and `python -m logos.live`."""

"""A door: `python -m logos.live` is the command line of `logos.cli`."""

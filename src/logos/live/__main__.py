"""`python -m logos.live` is the `logos` command; see `logos.cli.main`."""

import sys

from logos.held_signals import hold


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    hold(sys.argv[1:])  # before anything that takes time to import
    from logos.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m logos.live` is the `logos` command; see `logos.cli.main`."""

import sys

from logos.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

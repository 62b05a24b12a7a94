"""`logos data synth`: write the bundled market data, from the seed, into a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from logos import paths
from logos.data.fixtures import fixture_names, write_fixtures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos data synth`."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write to (default: data/cache)"
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="N",
        help=f"seed of the generator (default: LOGOS_SEED, else {paths.SEED_DEFAULT})",
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")


def run_synth(args: argparse.Namespace) -> int:
    """Write the bundle and name the files. 0 when written, 1 when refused or impossible."""
    out: Path = paths.cache_dir() if args.out is None else args.out
    there = [name for name in fixture_names() if (out / name).exists()]
    if there and not args.force:
        print(
            f"{out}: already holds {', '.join(there)}; nothing was written. "
            "Say --force to overwrite, or --out DIR to write elsewhere.",
            file=sys.stderr,
        )
        return 1
    try:
        seed = paths.env_seed() if args.seed is None else args.seed
        written = write_fixtures(out, seed)
    except ValueError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{out}: cannot be written ({error}); choose another folder with --out DIR",
            file=sys.stderr,
        )
        return 1
    for path in written:
        print(f"{path}  {path.stat().st_size} bytes")
    print(f"seed {seed}")
    return 0


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a whole number of 0 or more, not {text!r}")
    return int(text)

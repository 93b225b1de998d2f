"""``python -m rewriter``, and the console script ``unstall``."""

import sys

_AT_START = frozenset(sys.modules)


def main() -> None:
    """Run the command line."""
    from rewriter.command import main as run

    run(_AT_START)


if __name__ == "__main__":
    main()

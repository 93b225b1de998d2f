"""Two tasklets play ping-pong over two channels.

python -m rewriter examples/stackless/pingpong.py --rounds 3
"""

import argparse

import stackless


def player(name, table, other, rounds):
    """Wait for the ball at *table* and play it to *other*."""
    for _ in range(rounds):
        count = table.receive()
        print(f"{name} {count}")
        other.send(count + 1)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each of them plays (default: %(default)s)"
    )
    rounds = parser.parse_args().rounds
    left, right = stackless.channel(), stackless.channel()
    stackless.tasklet(player)("ping", left, right, rounds)
    stackless.tasklet(player)("pong", right, left, rounds)
    left.send(1)
    stackless.run()  # until both of them wait; the last one sends to nobody, and is blocked for ever


if __name__ == "__main__":
    main()

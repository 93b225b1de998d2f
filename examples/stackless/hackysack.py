"""A circle of hackysackers: who gets the sack kicks it to somebody else; who kicks it to its last kicker leaves.

python -m rewriter examples/stackless/hackysack.py --players 1000 --kicks 100000
"""

import argparse
import random
import time

import stackless


class Hackysacker:
    """A tasklet with a name and a channel on which the sack arrives."""

    def __init__(self, name, circle):
        self.name = name
        self.circle = circle
        self.channel = stackless.channel()
        circle.players.append(self)
        stackless.tasklet(self.play)()

    def play(self):
        for kicker in iter(self.channel.receive, None):
            if self.circle.over():
                self.circle.finish(self)
                return
            others = self.circle.players
            target = random.choice(others)
            while target is self or target is kicker:
                target = random.choice(others)
            target.channel.send(self)


class Circle:
    """Who plays, and how long."""

    def __init__(self, players, kicks):
        self.players = []
        self.kicks = kicks
        self.left = kicks
        for number in range(players):
            Hackysacker(f"player {number}", self)

    def over(self):
        self.left -= 1
        return self.left < 0

    def finish(self, last):
        """Send everybody else home, each as soon as he waits for the sack again."""
        for player in self.players:
            if player is not last:
                player.channel.send(None)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--players", type=int, default=100, help="at least 3 (default: %(default)s)")
    parser.add_argument("--kicks", type=int, default=10_000, help="(default: %(default)s)")
    given = parser.parse_args()
    if given.players < 3:
        parser.error("--players must be at least 3")
    circle = Circle(given.players, given.kicks)
    stackless.run()  # everybody waits for the sack now
    began = time.perf_counter()
    circle.players[0].channel.send(circle.players[1])
    stackless.run()
    seconds = time.perf_counter() - began
    home = sum(player.channel.balance == 0 for player in circle.players)
    print(f"{given.kicks} kicks in a circle of {given.players}: {home} went home")
    print(f"{seconds / max(1, given.kicks) * 1e6:.1f} us a kick")


if __name__ == "__main__":
    main()

"""Bare greenlets: the floor of what is built on them. No run queue, no event loop, no error handling.

The operations called naive have what a first attempt on greenlet has: a list of those that are ready, and channels
that switch to a scheduler wherever somebody has to wait.
"""

from __future__ import annotations

import collections
import itertools

from greenlet import getcurrent, greenlet

from benchmarks.peers.stopwatch import CROWD, measured, run, shuffled

BATCH = 1000


def switch(count: int) -> None:
    def turn() -> None:
        to_other = others[getcurrent()].switch
        for _ in range(count // 2):
            to_other()

    first, second = greenlet(turn), greenlet(turn)
    others = {first: second, second: first}
    first.switch()
    while not second.dead:
        second.switch()


def crowd(count: int) -> None:
    """Many switch to one another in a circle that is not in the order of their memory."""
    main = getcurrent()
    order = shuffled(CROWD)
    after = {one: order[i + 1] for i, one in enumerate(order[:-1])}

    def turn(number: int) -> None:
        main.switch()
        to_next = tasks[after[number]].switch if number in after else main.switch
        for _ in range(count // CROWD or 1):
            to_next()

    tasks = [greenlet(turn) for _ in range(CROWD)]
    for number, task in enumerate(tasks):
        task.switch(number)
    with measured():
        for _ in range(count // CROWD or 1):
            tasks[order[0]].switch()
    for number in order:
        tasks[number].switch()


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    for _ in range(count // BATCH or 1):
        for task in [greenlet(nothing) for _ in range(BATCH)]:
            task.switch()


def chain(count: int) -> None:
    """Each link waits for a number and ends with the next higher one, which its parent, the next link, gets."""
    main = getcurrent()

    def link() -> int:
        return 1 + int(main.switch())

    links = [greenlet(link) for _ in range(count)]
    for one in links:
        one.switch()
    for left, right in itertools.pairwise(links):
        left.parent = right
    assert links[0].switch(0) == count
    links.reverse()  # a list is freed from its end: the first link must go first, or each frees its parent, nested


def blocked(count: int) -> None:
    main = getcurrent()

    def wait() -> None:
        main.switch()

    with measured(memory=True):
        tasks = [greenlet(wait) for _ in range(count)]
        for task in tasks:
            task.switch()
    assert not any(task.dead for task in tasks)
    for task in tasks:
        task.switch()


class Scheduler:
    """Runs what is ready, in the greenlet that made it."""

    def __init__(self) -> None:
        self.main = getcurrent()
        self.ready: collections.deque[tuple[greenlet, object]] = collections.deque()

    def run(self) -> None:
        while self.ready:
            task, value = self.ready.popleft()
            task.switch(value)


class NaiveChannel:
    """A rendezvous for the tasks of one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.senders: collections.deque[tuple[greenlet, int]] = collections.deque()
        self.receivers: collections.deque[greenlet] = collections.deque()

    def send(self, value: int) -> None:
        if self.receivers:
            self.scheduler.ready.append((self.receivers.popleft(), value))
        else:
            self.senders.append((getcurrent(), value))
            self.scheduler.main.switch()

    def receive(self) -> int:
        if self.senders:
            sender, value = self.senders.popleft()
            self.scheduler.ready.append((sender, None))
            return value
        self.receivers.append(getcurrent())
        return int(self.scheduler.main.switch())


def naive_channel(count: int) -> None:
    scheduler = Scheduler()
    wire = NaiveChannel(scheduler)

    def send(_: object) -> None:
        for i in range(count):
            wire.send(i)

    def receive(_: object) -> None:
        for i in range(count):
            assert wire.receive() == i

    scheduler.ready += [(greenlet(send), None), (greenlet(receive), None)]
    scheduler.run()


def naive_chain(count: int) -> None:
    scheduler = Scheduler()

    def link(ends: tuple[NaiveChannel, NaiveChannel]) -> None:
        left, right = ends
        right.send(1 + left.receive())

    def last(channel: NaiveChannel) -> None:
        got.append(channel.receive())

    def begin(channel: NaiveChannel) -> None:
        channel.send(0)

    got: list[int] = []
    first = left = NaiveChannel(scheduler)
    for _ in range(count):
        right = NaiveChannel(scheduler)
        scheduler.ready.append((greenlet(link), (left, right)))
        left = right
    scheduler.ready += [(greenlet(last), left), (greenlet(begin), first)]
    scheduler.run()
    assert got == [count]


if __name__ == "__main__":
    run(
        {
            "switch": switch,
            "crowd": crowd,
            "spawn": spawn,
            "chain": chain,
            "blocked": blocked,
            "naive_channel": naive_channel,
            "naive_chain": naive_chain,
        },
        once=["blocked"],
    )

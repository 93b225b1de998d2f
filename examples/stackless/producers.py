"""Producers and consumers around one channel: it hands over, makes the faster side wait, and needs no lock.

python -m rewriter examples/stackless/producers.py --producers 3 --consumers 2 --items 4
"""

import argparse

import stackless


def producer(name, store, items):
    for number in range(items):
        store.send(f"{name}{number}")  # waits until a consumer takes it


def consumer(name, store, log):
    for item in store:
        log.append((name, item))
        stackless.schedule()  # let the others have theirs


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--producers", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--consumers", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--items", type=int, default=4, help="of each producer (default: %(default)s)")
    given = parser.parse_args()
    store, log = stackless.channel(), []
    for number in range(given.consumers):
        stackless.tasklet(consumer)(f"consumer {number}", store, log)
    for number in range(given.producers):
        stackless.tasklet(producer)("abcdefghijklmnopqrstuvwxyz"[number % 26], store, given.items)
    stackless.run()  # until everything is produced and the consumers wait for more
    while store.balance < 0:
        store.send_exception(StopIteration)
    stackless.run()
    for name, item in log:
        print(f"{name} takes {item}")
    print(f"{len(log)} items; {stackless.getruncount() - 1} tasklets left")


if __name__ == "__main__":
    main()

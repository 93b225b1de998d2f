"""Workers in threads of their own take numbers from one channel and send back what they made of them.

python -m rewriter examples/stackless/threads.py                     # the threads are tasklets
python -m rewriter --threads native examples/stackless/threads.py    # they are OS threads
"""

import argparse
import threading

import stackless


def worker(jobs, results):
    """Has a scheduler of its own; here only its main tasklet runs."""
    while (number := jobs.receive()) is not None:
        results.send((number, number * number, threading.get_native_id()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--numbers", type=int, default=9, help="(default: %(default)s)")
    given = parser.parse_args()
    jobs, results, handed_out = stackless.channel(), stackless.channel(), stackless.channel()
    threads = [threading.Thread(target=worker, args=(jobs, results)) for _ in range(given.workers)]
    for thread in threads:
        thread.start()

    def hand_out():
        for number in [*range(given.numbers), *([None] * given.workers)]:
            jobs.send(number)
        handed_out.send(None)

    stackless.tasklet(hand_out)()
    done = [results.receive() for _ in range(given.numbers)]
    handed_out.receive()  # before this thread stops in a join
    for thread in threads:
        thread.join()
    print(*(f"{number}^2={square}" for number, square, _ in sorted(done)))
    print(
        "OS threads at work beside this one:",
        len({native for *_, native in done} - {threading.get_native_id()}),
    )


if __name__ == "__main__":
    main()

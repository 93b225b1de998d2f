"""A chain of tasklets, each blocked until the one before it sends: a number goes through all of them.

python -m rewriter examples/stackless/chain.py --length 100000
"""

import argparse
import resource
import time

import stackless


def link(before, after):
    after.send(before.receive() + 1)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--length", type=int, default=100_000, help="(default: %(default)s)")
    length = parser.parse_args().length
    began = time.perf_counter()
    first = last = stackless.channel()
    for _ in range(length):
        next_ = stackless.channel()
        stackless.tasklet(link)(last, next_)
        last = next_
    stackless.run()  # all of them wait
    made = time.perf_counter()
    stackless.tasklet(first.send)(0)
    result = last.receive()
    ended = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{result} tasklets passed it on")
    print(f"made and blocked in {made - began:.1f} s, woken in {ended - made:.1f} s, {memory} MiB in all")


if __name__ == "__main__":
    main()

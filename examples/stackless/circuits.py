"""A digital circuit of tasklets: gates wait for their inputs, wires carry values; an adder is built of them.

python -m rewriter examples/stackless/circuits.py 23 42
"""

import argparse

import stackless


class Wire:
    """Carries a bit to everything that is connected to it."""

    def __init__(self):
        self.ends = []

    def end(self):
        """A new end, from which a gate receives."""
        channel = stackless.channel()
        self.ends.append(channel)
        return channel

    def carry(self, bit):
        for end in self.ends:
            end.send(bit)


def gate(function, output, *inputs):
    """A tasklet that sends ``function(bits)`` as often as each of the *inputs* has brought a bit."""
    ends = [wire.end() for wire in inputs]

    def work():
        while True:
            bits = [end.receive() for end in ends]
            output.carry(function(*bits))

    stackless.tasklet(work)()
    return output


def AND(output, *inputs):
    return gate(lambda *bits: int(all(bits)), output, *inputs)


def OR(output, *inputs):
    return gate(lambda *bits: int(any(bits)), output, *inputs)


def XOR(output, a, b):
    return gate(lambda x, y: x ^ y, output, a, b)


def half_adder(a, b):
    return XOR(Wire(), a, b), AND(Wire(), a, b)


def full_adder(a, b, carry):
    first, carry_one = half_adder(a, b)
    total, carry_two = half_adder(first, carry)
    return total, OR(Wire(), carry_one, carry_two)


class Adder:
    """Adds numbers of *width* bits: a full adder for each bit, the carry of each going into the next."""

    def __init__(self, width):
        self.a = [Wire() for _ in range(width)]
        self.b = [Wire() for _ in range(width)]
        self.first_carry = carry = Wire()
        self.probes = []
        for a, b in zip(self.a, self.b, strict=True):
            total, carry = full_adder(a, b, carry)
            self.probes.append(total.end())
        self.probes.append(carry.end())
        stackless.run()  # every gate waits for its inputs now

    def add(self, a, b):
        stackless.tasklet(self.feed)(a, b)
        return sum(probe.receive() << place for place, probe in enumerate(self.probes))

    def feed(self, a, b):
        for place, (wire_a, wire_b) in enumerate(zip(self.a, self.b, strict=True)):
            stackless.tasklet(wire_a.carry)(a >> place & 1)
            stackless.tasklet(wire_b.carry)(b >> place & 1)
        self.first_carry.carry(0)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", type=int, nargs="*", default=[23, 42], help="to add (default: 23 42)")
    parser.add_argument("--width", type=int, default=16, help="bits (default: %(default)s)")
    given = parser.parse_args()
    if any(not 0 <= number < 1 << given.width for number in given.numbers):
        parser.error(f"numbers must fit in {given.width} bits")
    adder = Adder(given.width)
    total = 0
    for number in given.numbers:
        sum_ = adder.add(total % (1 << given.width), number)
        print(f"{total} + {number} = {sum_}")
        total = sum_


if __name__ == "__main__":
    main()

"""`python -m tests.fuzz`: random programs, converted, do what the originals do, at the same places.

A program is executed twice among fakes, which write down what is done with them: as it is, and converted, where the
counterparts are the same fakes under the counterparts' names. What was done, in order, the error with its places, the
lines a tracer sees and the names that are left have to be the same; the text of the conversion has to mean the same,
too. What Python refuses, the conversion leaves to Python.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import dis
import random
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from rewriter.conversion import convert
from rewriter.loader import converted_code
from rewriter.mapping import standard
from rewriter.patched import PREFIX
from rewriter.rendering import Unwritable, rendered
from rewriter.settings import Settings
from runtime.table import BUILTINS
from tests.grammar import Grammar
from tests.rewriter.sameness import check, same_code

OFFLOAD = ["json.dumps", "os.path.save", "a.b.C.save", "time.open"]
MAPPINGS = (standard(), standard(settings=Settings(offload=OFFLOAD, fair=True)))
_FUEL = 60  # ticks that a program has
_EVENTS = 400
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


class Spent(BaseException):
    """The program has done enough."""


class Fake:
    """A module, function or object that is known by how it was come by, and does everything."""

    def __init__(self, world: World, path: str) -> None:
        self._world = world
        self._path = path

    def __repr__(self) -> str:
        return f"<{self._path}>"

    def __getattr__(self, name: str) -> Fake:
        if name.startswith("__"):
            raise AttributeError(name)
        frame = sys._getframe(1)
        if frame.f_code.co_code[frame.f_lasti] != _IMPORT_FROM:
            self._world.note(f"{self._path}.{name}")
        return Fake(self._world, f"{self._path}.{name}")

    def __call__(self, *args: Any, **named: Any) -> Fake:
        self._world.note(f"{self._path}({shown(args)}, {shown(named)})")
        return Fake(self._world, f"{self._path}()")

    def __iter__(self) -> Iterator[Fake]:
        self._world.note(f"iter {self._path}")
        return iter([Fake(self._world, f"{self._path}[]")])

    def __getitem__(self, key: object) -> Fake:
        self._world.note(f"{self._path}[{shown(key)}]")
        return Fake(self._world, f"{self._path}[]")

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            self._world.note(f"{self._path}.{name} = {shown(value)}")
        else:
            super().__setattr__(name, value)

    def __enter__(self) -> Fake:
        self._world.note(f"enter {self._path}")
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        self._world.note(f"exit {self._path} {kind and kind.__name__}")

    async def __aenter__(self) -> Fake:
        return self.__enter__()

    async def __aexit__(self, kind: Any, *_: object) -> None:
        self.__exit__(kind)

    def __await__(self) -> Iterator[None]:
        self._world.note(f"await {self._path}")
        yield

    async def __aiter__(self) -> Any:
        yield Fake(self._world, f"{self._path}[]")

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(self._path)


class Namespace:
    """A module with nothing but *names*."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.__dict__.update(names)


class Green:
    """``runtime.green``, of which everything is what it stands for."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self if name == "green" else Fake(self._world, name)


class World:
    """The fakes that one execution meets, and what it did with them."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._fuel = _FUEL
        self._fakes: dict[str, Any] = {name: Fake(self, name) for name in BUILTINS}
        self._fakes["__import__"] = self.imported
        own = {"tick": self.tick, "drive": self.drive, "tick_around": lambda function: function}
        self.builtins: dict[str, Any] = vars(builtins) | self._fakes | own
        # What the runtime has for converted code, and where.
        self._runtime: dict[str, dict[str, Any]] = {
            "runtime.methods": {"exchange": lambda value: value, "offloaded": lambda value, *_: value},
            "runtime.workers": {"offload": lambda function, /, *args, **named: function(*args, **named)},
            "runtime.fairness": {"fairness": Namespace({"overdue": False})},
            "runtime.replacement": {"unless_shadowed": self.unless_shadowed},
        }
        for name, place in BUILTINS.items():
            where, _, attribute = place.rpartition(".")
            self._runtime.setdefault(where, {})[attribute] = self._fakes[name]

    def note(self, event: str) -> None:
        self.events.append(event)
        if len(self.events) > _EVENTS:
            raise Spent

    def tick(self) -> None:
        self._fuel -= 1
        if self._fuel < 0:
            raise Spent

    def drive(self, function: Any) -> None:
        """Call *function*, and run what it returns, if that is a generator or a coroutine."""
        made = function()
        for _ in range(4):
            if not hasattr(made, "send") or isinstance(made, Fake):
                return
            try:
                self.note(f"sent back {shown(made.send(None))}")
            except StopIteration as ended:
                self.note(f"ended with {shown(ended.value)}")
                return
        made.close()

    def imported(self, name: str, _: Any = None, __: Any = None, names: Any = None, level: int = 0) -> Any:
        if name in self._runtime:
            return Namespace(self._runtime[name])
        if names and "*" in names:
            brings = {"open": Fake(self, f"{name}.open"), "x": 1} if name in ("brings", "") else {}
            return Namespace(brings)
        if name.partition(".")[0] == "runtime":
            plain = name.removeprefix("runtime.green").removeprefix(".")
            return Fake(self, plain) if names and plain else Green(self)
        return Fake(self, name if names else name.partition(".")[0])

    def unless_shadowed(self, found: Any, name: str, counterpart: Any) -> Any:
        return counterpart if found is self.builtins[name] else found


def shown(value: object) -> str:
    """*value* without what differs from run to run."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


Deed = list[object]


def executed(code: CodeType, *, places: bool = True) -> Deed:
    """What *code* does among fakes; with *places*, also where."""
    world = World()
    names: dict[str, Any] = {"__builtins__": world.builtins, "__name__": "program"}
    lines: list[object] = []
    ended: list[object] = []

    def traced(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != code.co_filename:
            return None
        lines.append((event, frame.f_code.co_name, frame.f_lineno))
        return traced

    before = sys.gettrace()
    if places:
        sys.settrace(traced)
    try:
        exec(code, names)
    except BaseException as error:
        sys.settrace(before)
        ended = [type(error).__name__, "" if isinstance(error, Spent) else shown(str(error))]
        if places:
            ended += _places(error, code.co_filename)
    finally:
        sys.settrace(before)
    left = {key: shown(value) for key, value in names.items() if not key.startswith((PREFIX, "__"))}
    return [world.events[:], ended, left, lines]


def _places(error: BaseException, file: str) -> Iterator[object]:
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == file:
            yield code.co_name, next(islice(code.co_positions(), trace.tb_lasti // 2, None))
        trace = trace.tb_next


def difference(source: str) -> str:
    """What is different about *source* converted; nothing if all is well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plain = compile(source, "program.py", "exec", dont_inherit=True)
        except SyntaxError:
            refused = converted_code(source, "program.py", MAPPINGS[0], module="program") is None
            return "" if refused else "Python refuses it"
        wanted = executed(plain)
        if "=}" not in source:  # shows what is written, so `rendered` writes it anew
            check(ast.parse(source), convert(source, "program.py", MAPPINGS[0]))
        for mapping in MAPPINGS:
            conversion = convert(source, "program.py", mapping)
            code = compile(conversion.tree, "program.py", "exec", dont_inherit=True)
            if mapping is MAPPINGS[0]:
                same_code(plain, code)
            found = _compared(wanted, executed(code))
            if not found:
                try:
                    text = rendered(conversion)
                except Unwritable:
                    continue
                code = compile(text, "program.py", "exec", dont_inherit=True)
                found = _compared(executed(plain, places=False), executed(code, places=False))
                found = f"as text: {found}\n{text}" if found else ""
            if found:
                return found
    return ""


def _compared(wanted: Deed, found: Deed) -> str:
    for what, one, other in zip(("events", "end", "names", "lines"), wanted, found, strict=True):
        if one != other:
            return f"{what}: {one}\n  converted: {other}"
    return ""


def failure(source: str) -> str:
    """`difference`, or the error by which the conversion failed."""
    try:
        return difference(source)
    except Exception:
        return traceback.format_exc(limit=-3)


def smallest(source: str) -> str:
    """*source* without the lines that its failure does not need."""
    lines = source.splitlines()
    size = len(lines) // 2 or 1
    while size:
        index = 0
        while index < len(lines):
            fewer = lines[:index] + lines[index + size :]
            if failure("\n".join(fewer)):
                lines = fewer
            else:
                index += size
        size //= 2
    return "\n".join(lines)


def fuzz(seed: int, enough: Callable[[int], bool]) -> tuple[int, str]:
    """Try programs from *seed* on until *enough* of their number; returns how many, and what is wrong with the last."""
    count = 0
    while not enough(count):
        source = Grammar(seed + count).program()
        count += 1
        found = failure(source)
        if found:
            fewer = smallest(source)
            return count, f"seed {seed + count - 1}:\n{fewer}\n\n{failure(fewer) or found}"
    return count, ""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=1.0, metavar="M", help="how long (default: 1)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first program (default: any)")
    given = parser.parse_args()
    seed = random.randrange(10**9) if given.seed is None else given.seed
    end = time.monotonic() + given.minutes * 60
    count, found = fuzz(seed, lambda count: time.monotonic() > end)
    print(found or f"{count} programs from seed {seed} on: all the same")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

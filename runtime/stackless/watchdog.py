"""A limit on how long tasklets run: what interrupts one that goes on for too long.

Stackless counted instructions in the interpreter's loop.  CPython tells of instructions as they are executed, by
``sys.monitoring`` from 3.12 on and by ``sys.settrace`` before; each costs a call.  So small limits are counted, and
large ones (`COUNTED`) are measured as CPU time, `PER_INSTRUCTION` each: code runs at full speed until a native thread
finds the time is up, and only then the next instruction is asked for.  Before 3.12 nobody can ask for another thread's
instructions, so there lines are traced, as `PER_LINE` instructions each.

Nothing of the runtime, nor what it calls, is ever interrupted: a limit that is reached in there waits for the
program's own code.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import allocate_lock, get_ident, start_new_thread
from time import clock_gettime, sleep
from types import CodeType, FrameType

from runtime.hub import existing_hub
from runtime.signals import shield
from runtime.stackless import registry
from runtime.stackless.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.stackless.ring import Ring

COUNTED = 20_000  # instructions: the largest limit that is counted
PER_INSTRUCTION = 10e-9  # seconds
PER_LINE = 8
_MONITORED = sys.version_info >= (3, 12)
_TOOLS = (4, 3, 5, 2, 1, 0)  # numbers of sys.monitoring: first those that no kind of tool has by convention
_SHORTEST, _LONGEST = 0.001, 0.05  # seconds between two looks at the time
_BELOW = ("runtime.",)
_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_BOTTOMS = ("runtime.tasklet", "runtime.green._thread")  # what starts a thread's own code


class Limit:
    """How many instructions a tasklet may execute before the watchdog of *ring* goes on.

    soft: not before the next switch.
    total: for all tasklets together, instead of for each until it lets others run.
    pending: reached, but the tasklet could not be interrupted.
    left_over: instructions that are left, if they are counted.
    """

    __slots__ = (
        "_amount",
        "_clock",
        "_deadline",
        "_ring",
        "_ticks",
        "_total",
        "left_over",
        "pending",
        "soft",
    )

    def __init__(self, ring: Ring, amount: int, *, soft: bool, total: bool) -> None:
        self._ring = ring
        self._amount = amount
        self._total = total
        self._clock = _clock_of_thread()
        self.soft = soft
        self.pending = False
        self._begin()
        _limits.add(self)
        if not self.counted:
            _look_out.start()
        elif _MONITORED:
            _watch_instructions(True)

    def _begin(self) -> None:
        self.left_over = self._amount if self.counted else 0
        self._ticks = self._ring.hub.ticks
        if not self.counted:
            self._deadline = self._now() + self._amount * PER_INSTRUCTION

    def _now(self) -> float:
        """Seconds of CPU time that its thread has used: who waits uses none."""
        return clock_gettime(self._clock)

    def enter(self) -> None:
        """A tasklet goes on: its time begins."""
        if not self._total:
            self._begin()
        if not _MONITORED:
            _trace()
        elif _watching:
            _watch_suspended()

    def end(self) -> None:
        """It is over."""
        _limits.discard(self)
        if not _MONITORED:
            if sys.gettrace() is _traced:
                sys.settrace(None)
        elif not _limits:
            _watch_instructions(False)

    @property
    def counted(self) -> bool:
        """It is counted, not measured."""
        return self._amount <= COUNTED or not _MONITORED

    def left(self) -> float:
        """Seconds of its thread's CPU time until it is reached; of a measured one."""
        return self._deadline - self._now()

    def executed(self, instructions: int, frame: FrameType) -> None:
        """*frame* of this limit's thread is about to execute so many."""
        if self.counted:
            self.left_over -= instructions
            if self.left_over > 0:
                return
        elif self.left() > 0:
            return
        ring = self._ring
        if not self._total and self._ticks != ring.hub.ticks:  # it has waited for I/O since: others could run
            self._begin()
        elif _interruptible(ring, frame):
            self._begin()
            sys.call_tracing(ring.interrupt, ())  # as code of the program, so that what runs next is told of


def _clock_of_thread() -> int:
    """The clock of the CPU time of the calling thread, which others can read, too."""
    make: Any = getattr(time, "pthread_getcpuclockid", None)
    clock: int = time.CLOCK_MONOTONIC if make is None else make(get_ident())
    return clock


def _limit_here() -> Limit | None:
    """The limit for what is running in the calling thread."""
    hub = existing_hub()
    task = None if hub is None else hub.current
    ring = task.ring if type(task) is Task else registry.rings.get(task)  # type: ignore[arg-type]
    return None if ring is None else ring.limit


def _interruptible(ring: Ring, frame: FrameType) -> bool:
    """Whether the running tasklet is one of *ring*, and in what the program has it run, called by nothing of ours."""
    task = ring.hub.current
    if ring.face_or_none(task) is None:
        return False
    step: FrameType | None = frame
    while step is not None and not step.f_globals.get("__name__", "").startswith(_BELOW):
        step = step.f_back
    if task is not ring.root:
        return step is not None and step.f_code is Task.run.__code__
    return step is None or step.f_globals["__name__"] in _BOTTOMS


_limits: set[Limit] = set()


# From 3.12 on.

_tool: int | None = None
_watching = False
_above: set[CodeType] = set()  # what is not the runtime's
_suspended: set[CodeType] = set()  # what ran in suspended tasklets when instructions began to be watched


def _watch_instructions(on: bool) -> None:
    global _tool, _watching
    if on == _watching:
        return
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    if _tool is None:
        free = [number for number in _TOOLS if monitoring.get_tool(number) is None]
        if not free:
            raise RuntimeError("all of sys.monitoring's tools are in use: none is left for a limit of run()")
        _tool = free[0]
        monitoring.use_tool_id(_tool, "unstall")
        monitoring.register_callback(_tool, monitoring.events.INSTRUCTION, _instruction)
    _watching = on
    monitoring.set_events(_tool, monitoring.events.INSTRUCTION if on else 0)
    _above.clear()
    while not on and _suspended:
        monitoring.set_local_events(_tool, _suspended.pop(), 0)


def _watch_suspended() -> None:
    """The calling tasklet goes on in the middle of functions; the interpreter would look at them at their next call."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code not in _suspended and not frame.f_globals.get("__name__", "").startswith(_BELOW):
            _suspended.add(code)
            monitoring.set_local_events(_tool, code, monitoring.events.INSTRUCTION)
        frame = frame.f_back


def _instruction(code: CodeType, offset: int) -> Any:
    if code not in _above:
        if code.co_filename.startswith(_HERE):
            return sys.monitoring.DISABLE  # type: ignore[attr-defined]
        _above.add(code)
    limit = _limit_here()
    if limit is not None:
        limit.left_over -= 1
        if limit.left_over <= 0:
            limit.executed(0, sys._getframe(1))
    return None


class _LookOut:
    """A native thread that has instructions asked for when a measured limit is reached."""

    def __init__(self) -> None:
        self._running = False
        self._guard = allocate_lock()

    def start(self) -> None:
        with self._guard:
            if self._running:
                return
            self._running = True
        registry.helpers += 1
        start_new_thread(self._run, ())

    def _run(self) -> None:
        shield()
        while True:
            with self._guard:
                measured = [limit for limit in list(_limits) if not limit.counted]
                if not measured:
                    self._running = False
                    registry.helpers -= 1
                    return
            try:
                left = min(limit.left() for limit in measured)
            except OSError:  # its thread has ended
                left = _LONGEST
            if left <= 0:
                _watch_instructions(True)
            elif len(measured) == len(_limits):
                _watch_instructions(False)
            sleep(min(max(left, _SHORTEST), _LONGEST))


_look_out = _LookOut()


def _forked() -> None:
    """In a forked child: its limits and its thread are the parent's."""
    global _look_out
    _look_out = _LookOut()
    _limits.clear()
    registry.helpers = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


# Before.


def _trace() -> None:
    """Have the calling tasklet traced from here on."""
    if sys.gettrace() is None:
        sys.settrace(_traced)
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(_BELOW):
            frame.f_trace = _traced
            frame.f_trace_opcodes = True
        frame = frame.f_back


def _traced(frame: FrameType, event: str, arg: Any) -> Any:
    limit = _limit_here()
    if limit is None:
        frame.f_trace_opcodes = False
        return None
    if frame.f_globals.get("__name__", "").startswith(_BELOW):
        return None
    opcodes = limit._amount <= COUNTED
    frame.f_trace_opcodes = opcodes
    if event == "opcode":
        limit.executed(1, frame)
    elif event == "line" and not opcodes:
        limit.executed(PER_LINE, frame)
    return _traced

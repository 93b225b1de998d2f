"""Looks after schedulers from outside: reports one that stands still, and tells one that a tasklet runs for long.

A native thread looks at each hub that has tasklets.  A hub that has neither switched nor waited for a second is stuck
in one of them; its stack tells which package, which line, and what cures it.  That is reported once per place,
always.  Long before, the hub is marked as overdue: a lock, say, that is polled in a loop then lets others run, as
preemption would.  The thread sleeps on a lock while no hub has tasklets.
"""

from __future__ import annotations

import _thread
import sys
from _thread import allocate_lock, start_new_thread
from time import monotonic, sleep
from types import FrameType
from weakref import ref

from runtime import holders
from runtime.fairness import fairness
from runtime.hub import Hub
from runtime.signals import shield
from runtime.stacks import frames

LIMIT = 1.0  # seconds a hub may stand still
_SLICE = 0.02  # seconds after which a tasklet is overdue
_IDLE = 0.25  # seconds between two looks while every hub waits
_hubs: dict[int, ref[Hub]] = {}  # by their ids; a copy of its values is atomic, as that of a WeakSet is not
_bell = allocate_lock()
_bell.acquire()
_guard = allocate_lock()
_running = False
_limit = LIMIT
_full = False  # every stall is reported, with its stack
_reported: set[tuple[str, int]] = set()


def report_after(seconds: float) -> None:
    """Report each stall of more than *seconds*, with its stack, instead of once per place in a line."""
    global _limit, _full
    _limit = seconds
    _full = True


_in_main_interpreter = getattr(_thread, "_is_main_interpreter", lambda: True)


def watch(hub: Hub) -> None:
    """Look after *hub* while it has tasklets; called when it gets its first one."""
    global _running
    if not _in_main_interpreter():  # another one aborts the process if a thread is left at its end
        return
    _hubs[id(hub)] = ref(hub)
    with _guard:
        start = not _running
        _running = True
    if start:
        start_new_thread(_run, ())
    elif _bell.locked():
        _ring()


def running() -> int:
    """How many threads this module has: none or one."""
    return int(_running)


def hubs() -> list[Hub]:
    """The hubs of this process that have had tasklets."""
    found = []
    for known in list(_hubs.values()):
        hub = known()
        if hub is not None:
            found.append(hub)
    return found


def _ring() -> None:
    try:
        _bell.release()
    except RuntimeError:
        pass


def _forked() -> None:
    global _running, _guard
    _running = False
    _guard = allocate_lock()
    _hubs.clear()  # they are the parent's


def _run() -> None:
    shield()
    seen: dict[int, tuple[int, float]] = {}  # by the ids of hubs, for none is kept alive from here
    told: dict[int, int] = {}  # by them, too: the ticks at which a stall was reported last
    while True:
        busy = running = False
        now = monotonic()
        for key, known in list(_hubs.items()):
            hub = known()
            if hub is None or hub.ended:  # another thread may have the number of its thread
                seen.pop(key, None)
                told.pop(key, None)
                if _hubs.get(key) is known:
                    del _hubs[key]
                continue
            if len(hub.tasklets) <= hub.unborn:
                seen.pop(key, None)
                continue
            busy = True
            running = running or not hub.polling
            ticks, since = seen.get(key, (-1, now))
            if hub.polling or ticks != hub.ticks:
                seen[key] = hub.ticks, now
                continue
            hub.overdue = fairness.overdue = True
            if now - since >= _limit and told.get(key) != ticks:
                told[key] = ticks
                try:
                    _report(hub, now - since)
                except (
                    Exception
                ) as error:  # what it looks at runs meanwhile; without it nobody would be overdue
                    sys.stderr.write(f"unstall: the report of a stall failed: {error!r}\n")
        hub = None  # no reference while asleep
        if busy:
            sleep(min(_limit / 2, _SLICE) if running else _IDLE)
        else:
            _bell.acquire()


def _report(hub: Hub, seconds: float) -> None:
    known = frames()
    frame = None if known is None else known.get(hub.thread)
    if frame is None:
        return
    culprit, advice = diagnose(frame)
    place = culprit.f_code.co_filename, culprit.f_lineno
    if sys.stderr is None or (place in _reported and not _full):
        return
    _reported.add(place)
    others = len(hub.tasklets)
    text = (
        f"unstall: nothing else has run for {seconds:.1f} s ({others} tasklet{'s' if others != 1 else ''} held up): "
        f"{_package(culprit)}, {place[0]}:{place[1]} in {culprit.f_code.co_qualname}. {advice}\n"
    )
    if _full:
        import traceback

        holder = holders.find(frame, hub)
        text += "".join(traceback.format_stack(frame)) + (f"{holder}\n" if holder else "")
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def diagnose(frame: FrameType) -> tuple[FrameType, str]:
    """The frame to name for a stack that stands still, and the advice that fits.

    The innermost frame that is neither the standard library's nor ours is where it waits.  If that module was not
    converted, the outermost package between it and converted code is the one to name: a program knows ``requests``,
    not the ``urllib3`` below it.
    """
    innermost: FrameType | None = None
    unconverted: FrameType | None = None
    step: FrameType | None = frame
    while step is not None:
        package = _package(step)
        if (package not in ("runtime", "rewriter") and package not in sys.stdlib_module_names) or _converted(
            step
        ):
            if _converted(step):
                innermost = innermost or step
                break
            innermost = innermost or step
            unconverted = step
        step = step.f_back
    if innermost is None:
        return frame, "It waits in code that cannot be converted; call it through runtime.offload()."
    if unconverted is not None and _package(unconverted) not in ("__main__", "?"):
        return innermost, f"Convert it: --convert {_package(unconverted)}+deps (or --threads native)."
    return innermost, (
        "It computes, or waits in a call with no cooperative form: run that through runtime.offload(), "
        "or let others in with time.sleep(0) (or --threads native)."
    )


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__") or "?"
    return name.partition(".")[0]


def _converted(frame: FrameType) -> bool:
    return type(frame.f_globals.get("__loader__")).__module__.startswith("rewriter.")

"""The supervisor's signals, and who else has got them.

A terminal sends Ctrl-C to every process in it, the program too; ``kill`` sends to one.  The system says which it was
(``si_code``, sigaction(2)) to who waits for the signal instead of handling it: an OS thread, while all block it.
"""

from __future__ import annotations

import signal
from _thread import start_new_thread
from collections.abc import Callable

_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


def forward(call: Callable[[int, bool], object]) -> None:
    """Have *call* called, in an OS thread of its own, with each signal and whether the whole terminal has got it.

    Signals that are ignored, as those of a program that was started in the background, stay ignored.
    """
    taken = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    signal.pthread_sigmask(signal.SIG_BLOCK, taken)

    def wait() -> None:
        while True:
            found = signal.sigwaitinfo(taken)
            call(found.si_signo, found.si_code > 0)

    start_new_thread(wait, ())

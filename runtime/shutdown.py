"""The end of the program waits for tasklets that are not daemons, as it waits for threads.

``threading._register_atexit`` of the standard library is made for this: it runs before the interpreter joins its own
non-daemon threads and before ``atexit``.  (Threads of converted code wait through their twin's own ``_shutdown``.)
"""

from __future__ import annotations

import threading

from runtime.hub import Hub, existing_hub

_registered = False


def join_at_exit(hub: Hub) -> None:
    """Have the tasklets of the main OS thread joined at the end; called when it gets its first one."""
    global _registered
    if not _registered and hub.thread == threading.main_thread().ident:
        _registered = True
        threading._register_atexit(_join)  # type: ignore[attr-defined]


def _join() -> None:
    hub = existing_hub()
    if hub is None:  # the end of an interpreter whose code ran in another OS thread
        return
    while waiting := [
        tasklet for tasklet in hub.tasklets if not tasklet.daemon and tasklet is not hub.current
    ]:
        for tasklet in waiting:
            tasklet.join()

"""What a forked child does before anything else runs in it.

Registered when the package is imported, so before the hooks of any twin (``threading``'s reset of its threads).
"""

from __future__ import annotations

import os

from runtime import hub, monitor

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=monitor._forked)
    os.register_at_fork(after_in_child=hub.replace_after_fork)

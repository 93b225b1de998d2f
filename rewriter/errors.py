"""What the rewriter tells its user: one error to stop with, one warning to go on with.

Nothing here imports anything of ours.  A *failure of the transformer* is neither: it is reported by a warning and the
module runs unconverted, since conversion must never stop a program that ran without it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class RewriterError(Exception):
    """The request cannot be met: a message of one line that says what was wrong and what would be right."""


class RewriterWarning(UserWarning):
    """Something is not converted although it was asked for; the program runs on."""


def refuse(message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    sys.stderr.write(f"rewriter: error: {' '.join(message.splitlines())}\n")
    raise SystemExit(2)

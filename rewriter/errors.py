"""What the rewriter tells its user: one error to stop with, one warning to go on with.

Nothing here imports anything.  A *failure of the transformer* is neither: it is reported by a warning and the
module runs unconverted, since conversion must never stop a program that ran without it.
"""


class RewriterError(Exception):
    """The request cannot be met: a message of one line that says what was wrong and what would be right."""


class RewriterWarning(UserWarning):
    """Something is not converted although it was asked for; the program runs on."""

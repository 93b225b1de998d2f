"""The options of a command line, as read: what is to be done, with what, and what that configures."""

from __future__ import annotations

from rewriter.config import Config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["target", "module", "code"]


class Options(Config):
    """What the command line asks for.

    kind, target, arguments: the program, and what belongs to it.
    targets: all of them, of which only ``--compile`` takes several.
    seen: the option by which the target is looked at (``--diff``, ``--check``, ``--eject``, ``--compile``) instead of
        run, or nothing.
    out: where what is ejected goes.
    format: of what ``--check`` says.
    reload: the values of each option that begins with ``--reload``; empty if the program is just run.
    """

    __slots__ = ("arguments", "format", "kind", "out", "reload", "seen", "target", "targets", "with_deps")

    def __init__(self) -> None:
        super().__init__(lambda key: key.option)
        self.kind: Kind = "target"
        self.target = ""
        self.targets: list[str] = []
        self.arguments: list[str] = []
        self.with_deps = False
        self.seen = ""
        self.out = ""
        self.format = ""
        self.reload: dict[str, list[str]] = {}

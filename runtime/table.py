"""What the blocking parts of the standard library become in converted code: data, no behaviour.

The rewriter, the counterparts' finder, the stall report and the documentation all read this one table.
A test fails when a row names something that does not exist.

``MODULES`` has a row for each standard module with a counterpart.  An *overlay* is written by hand
(``runtime/green/<name>.py``) over a module that makes system calls; what it does not replace it forwards to
the original.  *Offloads* are an overlay too, made from the rows of `runtime.calls`.  A *twin* is the running Python's
own module, executed once more with counterparts bound to its imports.  A package has a row as soon as anything
below it has one, since ``import http.client`` binds ``http``.

What becomes of each single call stands in `runtime.calls`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Kind = Literal["overlay", "offloads", "twin", "foreign"]

MODULES: Final[dict[str, Kind]] = {
    # overlays: the modules that wait in the system
    "_multiprocessing": "overlay",
    "_queue": "overlay",
    "_thread": "overlay",
    "_threading_local": "twin",
    "asyncio": "overlay",
    "asyncio.events": "overlay",
    "fcntl": "overlay",
    "importlib": "overlay",
    "io": "overlay",
    "logging": "overlay",
    "multiprocessing": "overlay",
    "multiprocessing.process": "overlay",
    "multiprocessing.util": "overlay",
    "os": "overlay",
    "posix": "overlay",
    "select": "overlay",
    "signal": "overlay",
    "socket": "overlay",
    "ssl": "overlay",
    "sys": "overlay",
    "termios": "overlay",
    "time": "overlay",
    # offloads: the calls of `runtime.calls` go to worker threads
    "_bz2": "offloads",
    "_lzma": "offloads",
    "grp": "offloads",
    "hashlib": "offloads",
    "hmac": "offloads",
    "mmap": "offloads",
    "pwd": "offloads",
    "sqlite3": "offloads",
    "sqlite3.dbapi2": "offloads",
    "syslog": "offloads",
    "zlib": "offloads",
    # twins: pure Python above them
    "asyncio.runners": "twin",
    "bz2": "twin",
    "cmd": "twin",
    "code": "twin",
    "codecs": "twin",
    "concurrent": "twin",
    "concurrent.futures": "twin",
    "concurrent.futures._base": "twin",
    "concurrent.futures.process": "twin",
    "concurrent.futures.thread": "twin",
    "dbm": "twin",
    "dbm.dumb": "twin",
    "email": "twin",
    "email.utils": "twin",
    "filecmp": "twin",
    "fileinput": "twin",
    "ftplib": "twin",
    "getpass": "twin",
    "gzip": "twin",
    "http": "twin",
    "http.client": "twin",
    "http.server": "twin",
    "imaplib": "twin",
    "logging.config": "twin",
    "logging.handlers": "twin",
    "lzma": "twin",
    "mailbox": "twin",
    "multiprocessing.connection": "twin",
    "multiprocessing.context": "twin",
    "multiprocessing.dummy": "twin",
    "multiprocessing.dummy.connection": "twin",
    "multiprocessing.forkserver": "twin",
    "multiprocessing.heap": "twin",
    "multiprocessing.managers": "twin",
    "multiprocessing.pool": "twin",
    "multiprocessing.popen_fork": "twin",
    "multiprocessing.popen_forkserver": "twin",
    "multiprocessing.popen_spawn_posix": "twin",
    "multiprocessing.queues": "twin",
    "multiprocessing.reduction": "twin",
    "multiprocessing.resource_sharer": "twin",
    "multiprocessing.sharedctypes": "twin",
    "multiprocessing.spawn": "twin",
    "multiprocessing.synchronize": "twin",
    "pkgutil": "twin",
    "platform": "twin",
    "poplib": "twin",
    "pty": "twin",
    "queue": "twin",
    "sched": "twin",
    "selectors": "twin",
    "shelve": "twin",
    "shutil": "twin",
    "smtplib": "twin",
    "socketserver": "twin",
    "subprocess": "twin",
    "tarfile": "twin",
    "tempfile": "twin",
    "threading": "twin",
    "traceback": "twin",
    "tty": "twin",
    "unittest": "twin",
    "unittest.async_case": "twin",
    "unittest.main": "twin",
    "unittest.mock": "twin",
    "unittest.result": "twin",
    "unittest.runner": "twin",
    "urllib": "twin",
    "urllib.request": "twin",
    "urllib.robotparser": "twin",
    "wave": "twin",
    "webbrowser": "twin",
    "wsgiref": "twin",
    "wsgiref.simple_server": "twin",
    "xmlrpc": "twin",
    "xmlrpc.client": "twin",
    "xmlrpc.server": "twin",
    "zipfile": "twin",
}

# Those of only some supported Pythons: (kind, the first version that has it, the first that has it no more).
CONDITIONAL: Final[dict[str, tuple[Kind, tuple[int, int], tuple[int, int]]]] = {
    "_interpchannels": ("offloads", (3, 13), (9, 0)),
    "_interpreters": ("offloads", (3, 13), (9, 0)),
    "_xxsubinterpreters": ("offloads", (3, 11), (3, 13)),
    "asynchat": ("twin", (3, 11), (3, 12)),
    "asyncore": ("twin", (3, 11), (3, 12)),
    "dbm.sqlite3": ("twin", (3, 13), (9, 0)),
    "nis": ("offloads", (3, 11), (3, 13)),
    "nntplib": ("twin", (3, 11), (3, 13)),
    "smtpd": ("twin", (3, 11), (3, 12)),
    "telnetlib": ("twin", (3, 11), (3, 13)),
    "zipfile._path": ("twin", (3, 12), (9, 0)),
}
for _name, (_kind, _since, _until) in CONDITIONAL.items():
    if _since <= sys.version_info[:2] < _until:
        MODULES[_name] = _kind

# Modules that are not the standard library's, but were Stackless Python's or came with it; by hand, too.
STACKLESS: Final[frozenset[str]] = frozenset(
    {
        "stackless",
        "stacklesslib",
        "stacklesslib.app",
        "stacklesslib.base",
        "stacklesslib.errors",
        "stacklesslib.locks",
        "stacklesslib.magic",
        "stacklesslib.main",
        "stacklesslib.monkeypatch",
        "stacklesslib.util",
        "stacklesssocket",
    }
)
MODULES.update(dict.fromkeys(STACKLESS, "foreign"))

# Modules whose counterpart only that code gets which mentions one of some words, and the twins that do.
GUARDED: Final[dict[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "sys": (
        ("stdin", "stdout", "stderr"),
        frozenset(
            {
                "cmd",
                "code",
                "fileinput",
                "ftplib",
                "getpass",
                "http.server",
                "imaplib",
                "smtplib",
                "socketserver",
                "wsgiref.simple_server",
                "xmlrpc.server",
            }
        ),
    ),
}

# Builtin name -> where its counterpart stands.  A name in converted code that resolves to the builtin is
# replaced by it; a name that the module shadows is left alone.
BUILTINS: Final[dict[str, str]] = {
    "__import__": "runtime.twins.import_counterpart",
    "input": "runtime.standard_input.input",
    "open": "runtime.files.open",
    "print": "runtime.standard_output.print",
}

# Names that are builtins of Stackless Python, and no others'.
STACKLESS_BUILTINS: Final[dict[str, str]] = {"TaskletExit": "runtime.tasklet.TaskletExit"}

# Class -> methods that wait in converted code, whoever made the object: their calls are rewritten (`runtime.methods`).
METHODS: Final[dict[str, frozenset[str]]] = {
    "pathlib.Path": frozenset({"open", "read_bytes", "read_text", "write_bytes", "write_text"}),
}

"""What the blocking parts of the standard library become in converted code: data, no behaviour.

The rewriter, the counterparts' finder, the stall report and the documentation all read this one table.
A test fails when a row names something that does not exist.

``MODULES`` has a row for each standard module with a counterpart.  An *overlay* is written by hand
(``runtime/green/<name>.py``) over a module that makes system calls; what it does not replace it forwards to
the original.  A *twin* is the running Python's own module, executed once more with counterparts bound to its
imports.  A package has a row as soon as anything below it has one, since ``import http.client`` binds ``http``.
"""

import sys
from typing import Final, Literal

Kind = Literal["overlay", "twin"]

MODULES: Final[dict[str, Kind]] = {
    # overlays: the modules that wait in the system
    "_multiprocessing": "overlay",
    "_queue": "overlay",
    "_thread": "overlay",
    "_threading_local": "twin",
    "fcntl": "overlay",
    "importlib": "overlay",
    "io": "overlay",
    "multiprocessing": "overlay",
    "multiprocessing.process": "overlay",
    "multiprocessing.util": "overlay",
    "os": "overlay",
    "posix": "overlay",
    "select": "overlay",
    "signal": "overlay",
    "socket": "overlay",
    "ssl": "overlay",
    "termios": "overlay",
    "time": "overlay",
    # twins: pure Python above them
    "concurrent": "twin",
    "concurrent.futures": "twin",
    "concurrent.futures._base": "twin",
    "concurrent.futures.process": "twin",
    "concurrent.futures.thread": "twin",
    "ftplib": "twin",
    "http": "twin",
    "http.client": "twin",
    "http.server": "twin",
    "imaplib": "twin",
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
    "poplib": "twin",
    "pty": "twin",
    "queue": "twin",
    "selectors": "twin",
    "smtplib": "twin",
    "socketserver": "twin",
    "subprocess": "twin",
    "threading": "twin",
    "tty": "twin",
    "urllib": "twin",
    "urllib.request": "twin",
    "urllib.robotparser": "twin",
    "wsgiref": "twin",
    "wsgiref.simple_server": "twin",
    "xmlrpc": "twin",
    "xmlrpc.client": "twin",
    "xmlrpc.server": "twin",
}
# What later versions of Python no longer have.
if sys.version_info < (3, 12):
    MODULES.update(asynchat="twin", asyncore="twin", smtpd="twin")
if sys.version_info < (3, 13):
    MODULES.update(nntplib="twin", telnetlib="twin")

# Builtin name -> where its counterpart stands.  A name in converted code that resolves to the builtin is
# replaced by it; a name that the module shadows is left alone.
BUILTINS: Final[dict[str, str]] = {
    "__import__": "runtime.green.builtins.__import__",
    "open": "runtime.green.builtins.open",
}

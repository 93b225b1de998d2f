"""Which of CPython's test files are run."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Final

# What the tests of every change run: under a minute together, and one for each kind of counterpart.
CORE: Final = ("test_queue", "test_thread", "test_select", "test_epoll", "test_poll")

# The files of CPython 3.14's tests that gevent's repository has, in src/greentest/3.14 (May 2026).
GEVENTS: Final = (
    "test_interpreters" if sys.version_info < (3, 13) else "test__interpreters",
    "test_context",
    "test_ftplib",
    "test_httplib",
    "test_httpservers",
    "test_queue",
    "test_select",
    "test_selectors",
    "test_signal",
    "test_smtplib",
    "test_socket",
    "test_socketserver",
    "test_ssl",
    "test_subprocess",
    "test_thread",
    "test_threading",
    "test_threading_local",
    "test_timeout",
    "test_urllib",
    "test_urllib2",
    "test_urllib2_localnet",
    "test_weakref",
    "test_wsgiref",
)

# Some are there in some versions only, some are packages in later ones, and installations leave some out.
_WANTED: Final = """
_interpreters bdb bufio builtin bz2 cmd code_module codeccallbacks codecs concurrent_futures context contextlib
cprofile dbm dbm_dumb dbm_sqlite3 doctest docxmlrpc fcntl file filecmp fileinput fileio fork1 ftplib grp gzip hashlib
hmac httplib httpservers imaplib import importlib inspect interpreters io ioctl linecache logging lzma mailbox mmap
multiprocessing_fork multiprocessing_forkserver multiprocessing_main_handling multiprocessing_spawn nntplib os pathlib
pdb pkgutil platform popen poplib posix profile pty pwd robotparser runpy sched selectors shelve shutil signal smtplib
socket socketserver ssl subprocess sys_setprofile sys_settrace tarfile telnetlib tempfile threadedtempfile threading
threading_local threadsignals time timeout trace traceback urllib urllib2 urllib2_localnet wait3 wait4 wave weakref
webbrowser wsgiref xmlrpc zipfile zipimport zlib
asyncio: base_events eager_task_factory events futures locks queues runners selector_events sendfile server
    sock_lowlevel ssl streams subprocess taskgroups tasks threads timeouts unix_events waitfor
concurrent_futures: as_completed deadlock future init process_pool shutdown thread_pool wait
email: utils
multiprocessing_fork: manager misc processes threads
multiprocessing_forkserver: manager misc processes threads
multiprocessing_spawn: manager misc processes threads
pathlib: pathlib pathlib_abc
sqlite3: backup dbapi dump factory hooks regression transactions types userfunctions
unittest: async_case
unittest/testmock: async callable mock patch threadingmock with
zipfile: core
zipfile/_path: path
"""


def present() -> tuple[str, ...]:
    """The wanted files that this Python has, as modules."""
    spec = importlib.util.find_spec("test")
    folders = (spec and spec.submodule_search_locations) or []
    found = []
    packages = [line.partition(":")[0] for line in _WANTED.splitlines() if ":" in line]
    for line in _WANTED.replace("\n    ", " ").strip().splitlines():
        package, colon, names = line.rpartition(":")
        path = f"test_{package}/" if colon else ""
        prefix = "test" if package.endswith("testmock") else "test_"
        for name in names.split():
            file = f"{path}{prefix}{name}"
            places = [file] if colon or name in packages else [file, f"{file}/__init__"]
            if any(
                os.path.exists(os.path.join(folder, f"{place}.py")) for folder in folders for place in places
            ):
                found.append(f"test.{file.replace('/', '.')}")
    return tuple(dict.fromkeys([*map(module_name, CORE), *sorted(found)]))


# Resources of regrtest's that are on for a file; for all others they are off, as is regrtest's default.
RESOURCES: Final[dict[str, tuple[str, ...]]] = {
    "test_socketserver": ("network",),  # it asks for that and uses the loopback interface only
}


def module_name(name: str) -> str:
    """`queue`, `test_queue` and `test.test_queue` are all test.test_queue."""
    if name.startswith("test."):
        return name
    return f"test.{name}" if name.startswith("test_") else f"test.test_{name}"


GROUPS: Final = {"core": CORE, "gevent": GEVENTS}

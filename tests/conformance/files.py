"""Which of CPython's test files are run."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Final

# What the tests of every change run: under a minute together, and one for each kind of counterpart.
CORE: Final = ("test_queue", "test_thread", "test_select", "test_epoll", "test_poll")


def _those_here(package: str, *parts: str) -> tuple[str, ...]:
    """The files of a package of tests, which some installations and older versions do not have."""
    spec = importlib.util.find_spec("test")
    folders = (spec and spec.submodule_search_locations) or []
    return tuple(
        f"test.{package}.{part}"
        for part in parts
        if any(os.path.exists(os.path.join(folder, package, f"{part}.py")) for folder in folders)
    )


_PROCESSES: Final = ("test_manager", "test_misc", "test_processes", "test_threads")

FILES: Final = (
    *CORE,
    *_those_here(
        "test_asyncio",
        "test_base_events",
        "test_eager_task_factory",
        "test_events",
        "test_futures",
        "test_locks",
        "test_queues",
        "test_runners",
        "test_selector_events",
        "test_sendfile",
        "test_server",
        "test_sock_lowlevel",
        "test_ssl",
        "test_streams",
        "test_subprocess",
        "test_taskgroups",
        "test_tasks",
        "test_threads",
        "test_timeouts",
        "test_unix_events",
        "test_waitfor",
    ),
    "test_bufio",
    "test_bz2",
    *_those_here(
        "test_concurrent_futures",
        "test_as_completed",
        "test_deadlock",
        "test_future",
        "test_init",
        "test_process_pool",
        "test_shutdown",
        "test_thread_pool",
        "test_wait",
    ),
    "test_dbm",
    "test_dbm_dumb",
    "test_docxmlrpc",
    "test_fcntl",
    "test_file",
    "test_fileio",
    "test_fork1",
    "test_ftplib",
    "test_grp",
    "test_hashlib",
    "test_hmac",
    "test_httplib",
    "test_httpservers",
    "test_imaplib",
    "test_io",
    "test_ioctl",
    "test_logging",
    "test_lzma",
    "test_mmap",
    *_those_here("test_multiprocessing_fork", *_PROCESSES),
    *_those_here("test_multiprocessing_forkserver", *_PROCESSES),
    "test_multiprocessing_main_handling",
    *_those_here("test_multiprocessing_spawn", *_PROCESSES),
    "test_os",
    "test_popen",
    "test_poplib",
    "test_posix",
    "test_pty",
    "test_pwd",
    "test_robotparser",
    "test_sched",
    "test_selectors",
    "test_signal",
    "test_smtplib",
    "test_socket",
    "test_socketserver",
    "test.test_sqlite3.test_backup",
    "test.test_sqlite3.test_dbapi",
    "test.test_sqlite3.test_dump",
    "test.test_sqlite3.test_factory",
    "test.test_sqlite3.test_hooks",
    "test.test_sqlite3.test_regression",
    "test.test_sqlite3.test_transactions",
    "test.test_sqlite3.test_types",
    "test.test_sqlite3.test_userfunctions",
    "test_ssl",
    "test_subprocess",
    "test_threadedtempfile",
    "test_threading",
    "test_threading_local",
    "test_threadsignals",
    "test_time",
    "test_urllib",
    "test_urllib2",
    "test_urllib2_localnet",
    "test_wait3",
    "test_wait4",
    "test_webbrowser",
    "test_wsgiref",
    "test_xmlrpc",
    "test_zlib",
    *(("test_nntplib", "test_telnetlib") if sys.version_info < (3, 13) else ("test_dbm_sqlite3",)),
)

# Resources of regrtest's that are on for a file; for all others they are off, as is regrtest's default.
RESOURCES: Final[dict[str, tuple[str, ...]]] = {
    "test_socketserver": ("network",),  # it asks for that and uses the loopback interface only
}


def module_name(name: str) -> str:
    """`queue`, `test_queue` and `test.test_queue` are all test.test_queue."""
    if name.startswith("test."):
        return name
    return f"test.{name}" if name.startswith("test_") else f"test.test_{name}"

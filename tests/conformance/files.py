"""Which of CPython's test files are run."""

from __future__ import annotations

import sys
from typing import Final

# What the tests of every change run: under a minute together, and one for each kind of counterpart.
CORE: Final = ("test_queue", "test_thread", "test_select", "test_epoll", "test_poll")

FILES: Final = (
    *CORE,
    "test_bufio",
    "test_docxmlrpc",
    "test_fcntl",
    "test_file",
    "test_fileio",
    "test_fork1",
    "test_ftplib",
    "test_httplib",
    "test_httpservers",
    "test_imaplib",
    "test_io",
    "test_ioctl",
    "test_os",
    "test_popen",
    "test_poplib",
    "test_posix",
    "test_pty",
    "test_robotparser",
    "test_sched",
    "test_selectors",
    "test_signal",
    "test_smtplib",
    "test_socket",
    "test_socketserver",
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
    "test_wsgiref",
    "test_xmlrpc",
    *(("test_nntplib", "test_telnetlib") if sys.version_info < (3, 13) else ()),
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

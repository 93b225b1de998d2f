"""What becomes of each call of the standard library that can wait: data, no behaviour.

A module that `runtime.table` calls a twin needs no row: its code runs over counterparts.  One that cannot wait, or
whose waits are left alone, has one row (``*``), which holds for a package's submodules too.  All others are listed
call by call; a test walks the standard library and fails on a public callable that no row names, on a row that
names nothing, and on a row that says what is not so.  `docs/coverage.md` is made from this.

A class that waits is listed method by method.  Rows stand apart from `runtime.table` because that is imported by each
converted program at its start, and this only by one that imports a module with offloaded calls.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Fate = Literal["cooperative", "offloaded", "left alone", "cannot wait"]
    Version = tuple[int, int]

COOPERATIVE: Final = "cooperative"  # waits in the hub
OFFLOADED: Final = "offloaded"  # waits on a worker thread
ALONE: Final = "left alone"  # waits as it always did, and holds up everybody
NEVER: Final = "cannot wait"

KIB: Final = 1024


class Call:
    """Calls that share a fate.

    Args:
        module: where they are; several modules, if all of them have the same names or the names are ``*``.
        names: of functions, classes and methods (``Class.method``), separated by spaces.  A ``*`` at the end stands
            for anything; alone it is all of the module and its submodules.
        fate: what becomes of them.
        why: the reason.
        above: offloaded only if an argument has at least this many bytes.
        argument: the position of that argument.
        by: the counterpart, if it was written by hand; ``*`` in it stands for the name.
        since: the first version of Python that has it.
        until: the first version that has it no more.
        system: the only ``sys.platform`` that has it.
    """

    __slots__ = ("above", "argument", "by", "fate", "module", "names", "since", "system", "until", "why")

    def __init__(
        self,
        module: str,
        names: str,
        fate: Fate,
        why: str,
        *,
        above: int = 0,
        argument: int = 0,
        by: str = "",
        since: Version = (3, 11),
        until: Version = (9, 0),
        system: str = "",
    ) -> None:
        self.module = module
        self.names = names
        self.fate = fate
        self.why = why
        self.above = above
        self.argument = argument
        self.by = by
        self.since = since
        self.until = until
        self.system = system


_HASH: Final = 128 * KIB  # bytes hashed in 80 us, which is what a worker costs
_DEFLATE: Final = 16 * KIB  # bytes deflated in 80 to 400 us
_XZ: Final = 4 * KIB  # bytes, compressed, that give 16 KiB and take 80 us

CALLS: Final[tuple[Call, ...]] = (
    # -- computing that gives the interpreter's lock away
    Call("zlib", "compress decompress", OFFLOADED, "computes", above=_DEFLATE),
    Call("zlib", "compressobj.compress decompressobj.decompress", OFFLOADED, "computes", above=_DEFLATE),
    Call("zlib", "compressobj.flush decompressobj.flush", OFFLOADED, "computes what its input left"),
    Call("zlib", "compressobj decompressobj", COOPERATIVE, "makes the counterpart"),
    Call("zlib", "compressobj.copy decompressobj.copy", NEVER, "copies a state of some KiB"),
    Call(
        "zlib",
        "adler32 crc32",
        ALONE,
        "takes less than a worker costs up to 256 KiB, and 0.3 ms for each MiB",
    ),
    Call(
        "_bz2", "BZ2Compressor.compress", OFFLOADED, "works in blocks of 900 kB, which any call may complete"
    ),
    Call("_bz2", "BZ2Compressor.flush BZ2Decompressor.decompress", OFFLOADED, "works in blocks of 900 kB"),
    Call("_lzma", "LZMACompressor.compress LZMACompressor.flush", OFFLOADED, "computes; 5 ms for 16 KiB"),
    Call("_lzma", "LZMADecompressor.decompress", OFFLOADED, "computes", above=_XZ),
    Call("_lzma", "is_check_supported", NEVER, "looks it up"),
    Call("hashlib", "pbkdf2_hmac scrypt", OFFLOADED, "takes as long as it was asked to"),
    Call(
        "hashlib",
        "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 shake_128 shake_256",
        OFFLOADED,
        "hashes; what they return is the plain object, whose `update` is left alone: around a call of 50 ns, a "
        "counterpart would take three times as long (`runtime.offload(h.update, data)` for large data)",
        above=_HASH,
    ),
    Call("hashlib", "new", OFFLOADED, "hashes, as the constructors do", above=_HASH, argument=1),
    Call("hashlib", "file_digest", OFFLOADED, "hashes what it read", by="runtime.digests.file_digest"),
    Call("hashlib", "blake2b blake2s", ALONE, "classes that cannot be derived from; `new` offloads"),
    Call("hmac", "digest", OFFLOADED, "hashes", above=_HASH, argument=1, by="runtime.digests.digest"),
    Call("hmac", "HMAC new", OFFLOADED, "takes the constructors of `hashlib`", by="runtime.digests.*"),
    Call("hmac", "HMAC.copy HMAC.digest HMAC.hexdigest", NEVER, "ends a hash"),
    Call("hmac", "HMAC.update", ALONE, "hashes, mostly little, as `hashlib`'s objects do"),
    Call("hmac", "compare_digest", NEVER, "compares"),
    # -- databases
    Call("sqlite3 sqlite3.dbapi2", "connect", OFFLOADED, "opens a file", by="runtime.databases.connect"),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Connection Connection.backup Connection.blobopen Connection.close Connection.commit Connection.deserialize "
        "Connection.execute Connection.executemany Connection.executescript Connection.rollback "
        "Connection.serialize",
        OFFLOADED,
        "waits for the disk and for locks, and computes; calls on one connection take turns",
        by="runtime.databases.Connection",
    ),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Connection.create_aggregate Connection.create_collation Connection.create_function "
        "Connection.create_window_function Connection.cursor Connection.getlimit Connection.set_authorizer "
        "Connection.set_progress_handler Connection.set_trace_callback Connection.setlimit",
        COOPERATIVE,
        "quick, but waits for its turn",
    ),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Connection.getconfig Connection.setconfig",
        COOPERATIVE,
        "quick, but waits for its turn",
        since=(3, 12),
    ),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Connection.iterdump",
        COOPERATIVE,
        "its own code, over a cursor of the counterpart",
    ),
    Call("sqlite3 sqlite3.dbapi2", "Connection.interrupt", NEVER, "sets a flag"),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Cursor Cursor.close Cursor.execute Cursor.executemany Cursor.executescript Cursor.fetchall "
        "Cursor.fetchmany",
        OFFLOADED,
        "waits for the disk and for locks, and computes",
        by="runtime.databases.Cursor",
    ),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Cursor.fetchone",
        OFFLOADED,
        "after a row that took more than 0.5 ms; else in place",
    ),
    Call("sqlite3 sqlite3.dbapi2", "Cursor.setinputsizes Cursor.setoutputsize", NEVER, "do nothing"),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Blob",
        ALONE,
        "reads and writes pages that are mostly in memory; cannot be derived from",
    ),
    Call(
        "sqlite3 sqlite3.dbapi2",
        "Binary Date DateFromTicks PrepareProtocol Row Time TimeFromTicks Timestamp TimestampFromTicks adapt "
        "complete_statement enable_callback_tracebacks register_adapter register_converter",
        NEVER,
        "values and settings",
    ),
    Call("sqlite3 sqlite3.dbapi2", "enable_shared_cache", NEVER, "a setting", until=(3, 12)),
    Call("sqlite3.dump", "*", NEVER, "has nothing public"),
    Call(
        "dbm.gnu dbm.ndbm", "*", ALONE, "keeps the interpreter's lock while it waits: a worker would not help"
    ),
    # -- other parts of the system
    Call("mmap", "mmap mmap.flush", OFFLOADED, "waits for the disk", by="runtime.maps.mmap"),
    Call(
        "mmap",
        "mmap.close mmap.find mmap.madvise mmap.move mmap.read mmap.read_byte mmap.readline mmap.resize mmap.rfind "
        "mmap.size mmap.write mmap.write_byte",
        ALONE,
        "memory: a page that has to come from the disk stops the OS thread, which nobody sees beforehand",
    ),
    Call("mmap", "mmap.seek mmap.tell", NEVER, "a position"),
    Call("mmap", "mmap.seekable", NEVER, "a constant", since=(3, 13)),
    Call("syslog", "syslog", OFFLOADED, "sends to a daemon that may not read"),
    Call("syslog", "openlog closelog", ALONE, "connects to a local socket, with the interpreter's lock held"),
    Call("syslog", "setlogmask LOG_MASK LOG_UPTO", NEVER, "computes a mask"),
    Call("pwd", "getpwnam getpwuid", OFFLOADED, "asks the name service, which may ask the network (nss(5))"),
    Call("pwd", "getpwall", ALONE, "keeps the interpreter's lock while it asks"),
    Call("pwd", "struct_passwd", NEVER, "a value"),
    Call("grp", "getgrnam getgrgid", OFFLOADED, "asks the name service, which may ask the network (nss(5))"),
    Call("grp", "getgrall", ALONE, "keeps the interpreter's lock while it asks"),
    Call("grp", "struct_group", NEVER, "a value"),
    Call("nis", "cat match", OFFLOADED, "asks a server", until=(3, 13)),
    Call("nis", "maps", ALONE, "keeps the interpreter's lock while it asks", until=(3, 13)),
    Call("nis", "get_default_domain", NEVER, "asks the kernel", until=(3, 13)),
    Call("spwd crypt", "*", ALONE, "keeps the interpreter's lock while it works", until=(3, 13)),
    Call("ossaudiodev", "*", ALONE, "a sound device of the last century", until=(3, 13)),
    # -- time
    Call("time", "sleep", COOPERATIVE, "a timer of the hub"),
    Call(
        "time",
        "asctime clock_getres clock_gettime clock_gettime_ns clock_settime clock_settime_ns ctime get_clock_info "
        "gmtime localtime mktime monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns "
        "pthread_getcpuclockid strftime strptime struct_time thread_time thread_time_ns time time_ns tzset",
        NEVER,
        "reads or sets a clock, or computes",
    ),
    # -- descriptors
    Call("select", "epoll poll select", COOPERATIVE, "waits in the hub"),
    Call("select", "epoll.poll", COOPERATIVE, "waits in the hub"),
    Call(
        "select",
        "epoll.close epoll.fileno epoll.fromfd epoll.modify epoll.register epoll.unregister",
        NEVER,
        "a system call that does not wait",
    ),
    Call("select", "kqueue kevent", ALONE, "the hub has no backend for it", system="darwin"),
    Call("fcntl", "flock lockf fcntl ioctl", COOPERATIVE, "locks are tried in naps; draining is offloaded"),
    Call("termios", "tcdrain tcsendbreak tcsetattr", OFFLOADED, "waits for a terminal's output"),
    Call("termios", "tcflow tcflush tcgetattr tcgetwinsize tcsetwinsize", NEVER, "asks or tells the kernel"),
    Call("signal", "pause sigtimedwait sigwait sigwaitinfo", COOPERATIVE, "waits in the hub"),
    Call("signal", "getsignal signal pthread_kill", COOPERATIVE, "handlers run in the main tasklet"),
    Call(
        "signal",
        "Handlers Sigmasks Signals alarm default_int_handler getitimer pidfd_send_signal pthread_sigmask raise_signal "
        "set_wakeup_fd setitimer siginterrupt sigpending strsignal struct_siginfo valid_signals",
        NEVER,
        "asks or tells the kernel",
    ),
    # -- sockets
    Call(
        "socket",
        "getaddrinfo gethostbyaddr gethostbyname gethostbyname_ex getnameinfo",
        OFFLOADED,
        "asks the DNS",
    ),
    Call("socket", "getfqdn create_connection", COOPERATIVE, "its own code over the counterparts"),
    Call(
        "socket",
        "create_server fromfd has_dualstack_ipv6 recv_fds send_fds socketpair",
        COOPERATIVE,
        "gives or takes the counterpart's sockets",
    ),
    Call(
        "socket",
        "socket socket.accept socket.bind socket.connect socket.connect_ex socket.recv socket.recv_into "
        "socket.recvfrom socket.recvfrom_into socket.recvmsg socket.recvmsg_into socket.send socket.sendall "
        "socket.sendfile socket.sendmsg socket.sendto",
        COOPERATIVE,
        "tried, and waited for in the hub",
    ),
    Call("socket", "socket.sendmsg_afalg", COOPERATIVE, "waited for in the hub", system="linux"),
    Call("socket", "socket.close socket.detach socket.shutdown", COOPERATIVE, "wakes who waits"),
    Call("socket", "socket.makefile", COOPERATIVE, "a file over the counterpart"),
    Call(
        "socket",
        "socket.dup socket.fileno socket.get_inheritable socket.getblocking socket.getpeername socket.getsockname "
        "socket.getsockopt socket.gettimeout socket.listen socket.set_inheritable socket.setblocking "
        "socket.setsockopt socket.settimeout",
        NEVER,
        "a system call that does not wait, or none",
    ),
    Call("socket", "SocketType", ALONE, "the C class below `socket.socket`; nobody makes one by hand"),
    Call("socket", "getservbyname getservbyport getprotobyname", ALONE, "reads a local file (nss(5))"),
    Call("socket", "gethostname sethostname", NEVER, "asks or tells the kernel"),
    Call(
        "socket",
        "AddressFamily CMSG_LEN CMSG_SPACE SocketKind close dup getdefaulttimeout htonl htons if_indextoname "
        "if_nameindex if_nametoindex inet_aton inet_ntoa inet_ntop inet_pton ntohl ntohs setdefaulttimeout",
        NEVER,
        "computes, or a system call that does not wait",
    ),
    Call(
        "ssl",
        "create_default_context get_server_certificate SSLContext",
        COOPERATIVE,
        "makes the counterpart",
    ),
    Call("ssl", "SSLContext.sslsocket_class SSLContext.wrap_socket", COOPERATIVE, "makes the counterpart"),
    Call("ssl", "SSLContext.load_* SSLContext.set_default_verify_paths", ALONE, "reads small local files"),
    Call(
        "ssl",
        "SSLContext.cert_store_stats SSLContext.get_* SSLContext.session_stats SSLContext.set_* "
        "SSLContext.sslobject_class SSLContext.wrap_bio",
        NEVER,
        "settings",
    ),
    Call(
        "ssl",
        "SSLSocket SSLSocket.accept SSLSocket.bind SSLSocket.connect SSLSocket.connect_ex SSLSocket.do_handshake "
        "SSLSocket.read SSLSocket.recv* SSLSocket.send* SSLSocket.unwrap SSLSocket.write",
        COOPERATIVE,
        "TLS through memory, bytes through the counterpart's socket",
    ),
    Call("ssl", "SSLSocket.close SSLSocket.detach SSLSocket.shutdown", COOPERATIVE, "wakes who waits"),
    Call("ssl", "SSLSocket.makefile", COOPERATIVE, "a file over the counterpart"),
    Call(
        "ssl",
        "SSLSocket.cipher SSLSocket.compression SSLSocket.dup SSLSocket.fileno SSLSocket.get_* SSLSocket.getblocking "
        "SSLSocket.getpeer* SSLSocket.getsock* SSLSocket.gettimeout SSLSocket.listen SSLSocket.pending "
        "SSLSocket.selected_* SSLSocket.set* SSLSocket.shared_ciphers SSLSocket.verify_client_post_handshake "
        "SSLSocket.version",
        NEVER,
        "asks OpenSSL or the kernel",
    ),
    Call("ssl", "wrap_socket", COOPERATIVE, "makes the counterpart", until=(3, 12)),
    Call(
        "ssl",
        "AlertDescription DER_cert_to_PEM_cert DefaultVerifyPaths MemoryBIO Options PEM_cert_to_DER_cert Purpose "
        "RAND_add RAND_bytes RAND_status SSLErrorNumber SSLObject SSLSession TLSVersion VerifyFlags VerifyMode "
        "cert_time_to_seconds get_default_verify_paths get_protocol_name",
        NEVER,
        "computes in memory",
    ),
    Call("ssl", "RAND_pseudo_bytes match_hostname", NEVER, "computes in memory", until=(3, 12)),
    # -- files
    Call("builtins", "breakpoint help", ALONE, "for a person at a terminal"),
    Call("builtins", "copyright credits exit license quit", ALONE, "for a person at a terminal"),
    Call("builtins", "*", NEVER, "computes"),
    Call("io", "open", COOPERATIVE, "gives the counterpart's files"),
    Call("io", "open_code", ALONE, "reads source once, for an import"),
    Call(
        "io",
        "FileIO BufferedReader BufferedWriter BufferedRandom BufferedRWPair TextIOWrapper",
        COOPERATIVE,
        "pipes and terminals are waited for in the hub, disks by the ring or on a worker; calls of one file queue",
    ),
    Call(
        "io",
        "FileIO.* BufferedReader.* BufferedWriter.* BufferedRandom.* BufferedRWPair.* TextIOWrapper.*",
        COOPERATIVE,
        "as its class",
    ),
    Call(
        "io",
        "BytesIO StringIO IncrementalNewlineDecoder text_encoding BufferedIOBase IOBase RawIOBase TextIOBase",
        NEVER,
        "in memory",
    ),
    # -- os
    Call(
        "os",
        "read readv write writev pread preadv eventfd_read eventfd_write sendfile splice",
        COOPERATIVE,
        "pipes are waited for in the hub, and regular files that are not in memory read by the ring or a worker",
    ),
    Call(
        "os",
        "wait wait3 wait4 waitid waitpid",
        COOPERATIVE,
        "a pidfd, or one thread for all who wait for the same",
    ),
    Call("os", "lockf", COOPERATIVE, "tried in naps"),
    Call("os", "close", COOPERATIVE, "wakes who waits"),
    Call("os", "system", OFFLOADED, "a thread of its own runs the shell"),
    Call("os", "getrandom", OFFLOADED, "where it would wait"),
    Call("os", "copy_file_range fdatasync fsync posix_fallocate sync", OFFLOADED, "waits for the disk"),
    Call(
        "os",
        "access chdir chmod chown fchdir fchmod fchown fpathconf fstat fstatvfs ftruncate getxattr lchown link listdir "
        "listxattr lstat mkdir mkfifo mknod pathconf pwrite pwritev readlink remove removexattr rename replace rmdir "
        "scandir setxattr stat statvfs symlink truncate unlink utime",
        OFFLOADED,
        "on network and FUSE file systems; elsewhere in place",
    ),
    Call(
        "os",
        "fdopen fwalk makedirs popen removedirs renames walk spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp "
        "spawnvpe",
        COOPERATIVE,
        "its own code over the counterparts",
    ),
    Call(
        "os",
        "execl execle execlp execlpe execvp execvpe get_exec_path getenv getenvb",
        COOPERATIVE,
        "its own code: what converted code assigned to `environ` holds",
    ),
    Call(
        "os",
        "open",
        OFFLOADED,
        "where it is of a FIFO, or on a slow file system",
        by="runtime.files.open_waiting",
    ),
    Call("os", "DirEntry", ALONE, "asks the file system again only for what the listing did not say"),
    Call(
        "os",
        "closerange chroot openpty forkpty login_tty",
        ALONE,
        "rare, and waits only on slow file systems",
    ),
    Call("os", "fork", NEVER, "the parent goes on"),
    Call(
        "os",
        "execv execve posix_spawn posix_spawnp",
        COOPERATIVE,
        "do not wait; a Python program converts what its parent converts",
    ),
    Call(
        "os",
        "timerfd_create timerfd_gettime timerfd_gettime_ns timerfd_settime timerfd_settime_ns",
        NEVER,
        "a descriptor to `read`",
        since=(3, 13),
    ),
    Call("os", "grantpt posix_openpt ptsname unlockpt", NEVER, "asks or tells the kernel", since=(3, 13)),
    Call("os", "setns unshare", NEVER, "tells the kernel", since=(3, 12)),
    Call(
        "os",
        "WCOREDUMP WEXITSTATUS WIFCONTINUED WIFEXITED WIFSIGNALED WIFSTOPPED WSTOPSIG WTERMSIG _exit abort confstr "
        "cpu_count ctermid device_encoding dup dup2 eventfd fsdecode fsencode fspath get_blocking get_inheritable "
        "get_terminal_size getcwd getcwdb getegid geteuid getgid getgrouplist getgroups getloadavg getlogin getpgid "
        "getpgrp getpid getppid getpriority getresgid getresuid getsid getuid initgroups isatty kill killpg lseek "
        "major makedev memfd_create minor nice pidfd_open pipe pipe2 posix_fadvise putenv register_at_fork "
        "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler "
        "sched_param sched_rr_get_interval sched_setaffinity sched_setparam sched_setscheduler sched_yield "
        "set_blocking set_inheritable setegid seteuid setgid setgroups setpgid setpgrp setpriority setregid setresgid "
        "setresuid setreuid setsid setuid stat_result statvfs_result strerror sysconf tcgetpgrp tcsetpgrp "
        "terminal_size times times_result ttyname umask uname uname_result unsetenv urandom waitid_result "
        "waitstatus_to_exitcode",
        NEVER,
        "computes, or a system call that does not wait",
    ),
    Call("os", "process_cpu_count", NEVER, "asks the kernel", since=(3, 13)),
    Call("os", "startfile", ALONE, "asks the desktop", system="win32"),
    # -- processes
    Call(
        "multiprocessing",
        "Array Barrier BoundedSemaphore Condition Event JoinableQueue Lock Manager Pipe Pool Process Queue RLock "
        "RawArray RawValue Semaphore SimpleQueue Value allow_connection_pickling cpu_count freeze_support "
        "get_all_start_methods get_context get_logger get_start_method log_to_stderr parent_process set_executable "
        "set_forkserver_preload set_start_method",
        COOPERATIVE,
        "makes the counterpart, or is a method of the counterpart's context",
    ),
    Call(
        "multiprocessing",
        "Process.close Process.is_alive Process.join Process.kill Process.run Process.start Process.terminate",
        COOPERATIVE,
        "waits for the child in the hub",
    ),
    Call("multiprocessing", "active_children current_process", NEVER, "asks for the state of the process"),
    Call(
        "multiprocessing.process", "parent_process", COOPERATIVE, "a parent that can be waited for in the hub"
    ),
    Call(
        "multiprocessing.process",
        "BaseProcess active_children current_process",
        NEVER,
        "the state of the process, which is one for everybody; what waits is the children's counterpart",
    ),
    Call("multiprocessing.util", "ForkAwareLocal ForkAwareThreadLock", COOPERATIVE, "for tasklets"),
    Call(
        "multiprocessing.util",
        "close_all_fds_except",
        COOPERATIVE,
        "its own code over the counterpart of `os`",
    ),
    Call(
        "multiprocessing.util",
        "Finalize debug get_logger get_temp_dir info is_exiting log_to_stderr register_after_fork sub_debug "
        "sub_warning",
        NEVER,
        "the state of the process, which is one for everybody",
    ),
    Call(
        "multiprocessing.resource_tracker multiprocessing.shared_memory",
        "*",
        NEVER,
        "memory, and a word to a pipe",
    ),
    Call(
        "_interpchannels",
        "send send_buffer",
        OFFLOADED,
        "waits until somebody has received it, in this interpreter or another",
        since=(3, 13),
    ),
    Call(
        "_interpreters",
        "call exec run_func run_string",
        OFFLOADED,
        "runs code in another interpreter, where it waits as it likes",
        since=(3, 13),
    ),
    Call(
        "_xxsubinterpreters",
        "run_string",
        OFFLOADED,
        "runs code in another interpreter, where it waits as it likes",
        until=(3, 13),
    ),
    # -- logging and imports
    Call(
        "importlib",
        "import_module",
        COOPERATIVE,
        "gives counterparts, and waits for who is making the module",
    ),
    Call("importlib", "find_loader", NEVER, "the import system's own", until=(3, 12)),
    Call("importlib", "__import__ invalidate_caches reload", NEVER, "the import system's own"),
    Call(
        "importlib.abc importlib.machinery importlib.metadata importlib.readers importlib.resources importlib.simple "
        "importlib.util",
        "*",
        ALONE,
        "reads the small local files of installed packages",
    ),
    Call(
        "logging",
        "StreamHandler StreamHandler.* basicConfig critical debug error exception fatal info log warn warning",
        COOPERATIVE,
        "a handler over the counterparts of `sys.stderr` and `sys.stdout`, with a lock for tasklets",
    ),
    Call(
        "logging",
        "*",
        ALONE,
        "one tree of loggers for everyone; a handler's writes are as quick as its stream",
    ),
    # -- modules without counterparts that can wait
    Call("ctypes", "*", ALONE, "calls anything: which function waits, nobody can tell; offload yours"),
    Call(
        "pathlib",
        "Path.open Path.read_bytes Path.read_text Path.write_bytes Path.write_text",
        COOPERATIVE,
        "where converted code calls them, whoever made the path",
    ),
    Call(
        "pathlib glob linecache tokenize netrc mimetypes configparser plistlib zipapp zipimport optparse shlex "
        "tracemalloc",
        "*",
        ALONE,
        "opens files as plain Python does, by its own import of `io` or the builtin",
    ),
    Call(
        "genericpath ntpath posixpath", "*", ALONE, "asks the file system, which is a local one nearly always"
    ),
    Call("http.cookiejar", "*", ALONE, "opens files as plain Python does"),
    Call(
        "aifc cgi cgitb chunk imghdr mailcap pipes sndhdr sunau uu",
        "*",
        ALONE,
        "opens files as plain Python does, in programs of long ago",
        until=(3, 13),
    ),
    Call("distutils imp", "*", ALONE, "the interpreter's own tools", until=(3, 12)),
    Call("audioop xdrlib", "*", NEVER, "computes", until=(3, 13)),
    Call(
        "asyncio",
        "DefaultEventLoopPolicy Runner SelectorEventLoop get_event_loop get_event_loop_policy new_event_loop run "
        "run_coroutine_threadsafe set_event_loop",
        COOPERATIVE,
        "its loops wait in the hub, and each tasklet may run one",
    ),
    Call("asyncio", "EventLoop", COOPERATIVE, "waits in the hub", since=(3, 13)),
    Call(
        "asyncio.events",
        "get_event_loop get_event_loop_policy new_event_loop set_event_loop",
        COOPERATIVE,
        "each tasklet may run a loop",
    ),
    Call("asyncio", "*", NEVER, "coroutines and what they use: they wait in their loop"),
    Call("curses", "*", ALONE, "for a person at a terminal; one program has one screen"),
    Call("pdb readline rlcompleter pydoc", "*", ALONE, "for a person at a terminal"),
    Call(
        "site sysconfig runpy compileall py_compile modulefinder trace tabnanny",
        "*",
        ALONE,
        "the interpreter's own tools, which read local files and are not run beside other work",
    ),
    Call(
        "cProfile profile pstats timeit bdb doctest unittest.case unittest.loader unittest.signals unittest.suite "
        "unittest.util",
        "*",
        ALONE,
        "runs the program's own code",
    ),
    Call(
        "inspect warnings pyclbr",
        "*",
        ALONE,
        "reads source files, once, to show a line of them",
    ),
    Call("uuid ctypes.util", "*", ALONE, "asks other programs, once, and keeps the answer"),
    Call("gettext locale zoneinfo", "*", ALONE, "reads a small local file once"),
    Call("random secrets", "*", NEVER, "the system's random numbers do not wait once it has started"),
    Call("xml", "*", ALONE, "reads what it was given: a file that waits cooperatively does so here too"),
    Call(
        "json pickle csv marshal quopri base64 urllib.response email.base64mime email.charset email.contentmanager "
        "email.encoders email.errors email.feedparser email.generator email.header email.headerregistry "
        "email.iterators email.message email.mime email.parser email.policy email.quoprimime",
        "*",
        ALONE,
        "reads what it was given: a file that waits cooperatively does so here too",
    ),
    Call("wsgiref.handlers wsgiref.validate", "*", ALONE, "runs what it was given, which waits as it does"),
    Call(
        "resource faulthandler gc sys atexit",
        "*",
        NEVER,
        "asks or tells the interpreter or the kernel",
    ),
    # -- modules that cannot wait
    Call(
        "abc array ast binascii bisect calendar cmath codeop collections colorsys contextlib contextvars copy "
        "copyreg dataclasses datetime decimal difflib dis encodings enum errno fnmatch fractions functools getopt "
        "graphlib heapq html ipaddress itertools keyword math nturl2path numbers opcode operator argparse "
        "pickletools pprint pyexpat re reprlib sre_compile sre_constants sre_parse stat statistics string "
        "stringprep struct symtable textwrap token tomllib types typing unicodedata weakref",
        "*",
        NEVER,
        "computes",
    ),
    Call(
        "http.cookies urllib.error urllib.parse wsgiref.headers wsgiref.types wsgiref.util",
        "*",
        NEVER,
        "computes",
    ),
)

# Public names of the standard library that nobody converts: top-level modules and submodules.
SKIPPED: Final[dict[str, str]] = {
    "__future__": "names of language features",
    "antigravity": "opens a browser when it is imported",
    "ensurepip": "installs pip, in a process of its own",
    "idlelib": "an editor",
    "lib2to3": "a program that translates Python 2",
    "nt": "what `os` is made of on another system",
    "posix": "what `os` is made of: the counterparts are those of `os`",
    "this": "prints a poem when it is imported",
    "tkinter": "has a main loop of its own, in the main OS thread",
    "turtle": "draws with tkinter",
    "turtledemo": "examples",
    "venv": "a program that makes environments",
}

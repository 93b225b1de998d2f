"""The programs in C and Go among the peers, and the load: compiled when first needed, kept by their source's hash."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


class CompileError(Exception):
    """The compiler's own words."""


@functools.cache
def compiler() -> str | None:
    """The C compiler's path: `$CC`, else `cc`; None where there is none or the system has no epoll."""
    import select

    return shutil.which(os.environ.get("CC", "cc")) if hasattr(select, "epoll") else None


@functools.cache
def go() -> str | None:
    return shutil.which("go")


@functools.cache
def go_version() -> str:
    """As `1.22.3`; what Go itself says where that is not in it."""
    said = subprocess.run([go() or "go", "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bgo(\d[\w.]*)", said)
    return found[1] if found else said.strip()


@functools.cache
def compiled(source: pathlib.Path, *flags: str) -> pathlib.Path:
    """The program made from `source`; `flags` are the C compiler's. Raises CompileError with its message."""
    command = go() if source.suffix == ".go" else compiler()
    if command is None:
        raise CompileError("no Go" if source.suffix == ".go" else "no C compiler")
    key = hashlib.sha256(source.read_bytes() + " ".join([command, *flags]).encode()).hexdigest()[:16]
    folder = pathlib.Path(tempfile.gettempdir()) / f"unstall-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise CompileError(f"{folder} belongs to someone else")
    program = folder / f"{source.stem}-{key}"
    if not program.exists():
        # Made under another name and renamed: two runs at once never execute half a program.
        scratch = program.with_suffix(f".{os.getpid()}")
        if source.suffix == ".go":
            arguments = [command, "build", "-o", str(scratch), str(source)]
        else:
            arguments = [command, "-O2", "-Wall", "-Wextra", "-o", str(scratch), str(source), *flags]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(done.stderr.strip() or f"{command} failed")
        scratch.rename(program)
    return program

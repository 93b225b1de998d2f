"""The loader of converted modules: Python's own source loader with another compile step and another cache
file.

Everything else (resources, ``get_source``, ``is_package``, reload) is inherited.  The bytecode path is
remapped in this loader's own methods; patching ``importlib.util.cache_from_source``, as others do, would
write wrong files for modules imported meanwhile.  Cache files are put in place by a rename, so another process
sees all of one or none.

Cache files carry the hash of the source (PEP 552) and, at the end, its size and its times in nanoseconds (the
inode's as well, since ``cp -p`` restores the other). Where these are the file's, the source is not read. Where they
differ (a moved tree), or were not yet to be relied on when the file was written, the hash decides, and they are put
down. They can be relied on once the source is older than any file system's clock is coarse; so an edit within the
same moment is seen, as git sees it ("racy git").

What cannot be written (read-only tree, full disk, ``__pycache__`` being a file) is not cached; what cannot be
converted is compiled as it is, with a warning, and not cached, so that the warning comes again.

A cache hit imports nothing: neither libcst nor the conversion.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, source_hash
from io import open_code
from struct import Struct
from time import time_ns
from zipimport import zipimporter

from rewriter.errors import RewriterWarning
from rewriter.mapping import Mapping
from rewriter.patched import let_patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any

_fix_co_filename: Callable[[CodeType, str], None] = _imp._fix_co_filename  # type: ignore[attr-defined]
_HASH = (0b01).to_bytes(4, "little")  # which is checked here, not by Python
_END = b"unstall\n"  # after the bytecode, where unmarshalling does not look: the file is whole
_ALL = (1 << 64) - 1
_pack = Struct("<3Q").pack
_UNSETTLED = bytes(24)  # instead of a stamp
_COARSEST = 2_000_000_000  # nanoseconds: FAT's clock
_ENDING = f".opt-{sys.flags.optimize}.pyc" if sys.flags.optimize else ".pyc"


def converted_code(
    source: Any, path: str, mapping: Mapping, *, module: str, package: str = "", optimize: int = -1
) -> CodeType | None:
    """The bytecode of *source* converted, or None when it has to be compiled as it is.

    *package* is where the module's relative imports start.

    None after a syntax error too: compiling the original says it exactly as Python does.
    """
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    try:
        if not isinstance(data, bytes) or not mapping.mentioned(data):
            return None
        from rewriter.conversion import convert

        tree = convert(source, path, mapping, package=package).tree
        return compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as failure:  # a panic in libcst's Rust is no Exception
        reason = failure
    try:
        compile(source, path, "exec", dont_inherit=True, optimize=optimize)
    except Exception:
        return None
    raise ConversionFailed(module, path, reason)


class ConversionFailed(Exception):
    """The transformer failed on a module that Python compiles."""

    def __init__(self, module: str, path: str, reason: BaseException) -> None:
        what = str(reason).strip().partition("\n")[0]
        super().__init__(
            f"module {module} runs unconverted: the rewriter failed on it "
            f"({type(reason).__name__}{': ' + what if what else ''}). "
            "Please report this with the file as an issue of the unstall project; "
            "exclude the module to silence this warning"
        )
        self.path = path

    def warn(self) -> None:
        import warnings

        warnings.warn_explicit(str(self), RewriterWarning, self.path, 1)


def masked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Count *function* as part of the import machinery.

    Python trims frames of that file from the tracebacks of imports and passes over them in ``stacklevel``; a
    frame of ours between its own would make all of them visible.
    """
    function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
    return function


class ConvertingLoader(SourceFileLoader):
    """Loads one module converted by *mapping*."""

    converted: bytes | None = None  # what the last code was made of; None: not to be cached, or from there
    _stamp = b""  # of the source: its times and size
    _settled = False

    def __init__(self, fullname: str, path: str, mapping: Mapping) -> None:
        super().__init__(fullname, path)
        self.mapping = mapping
        self.tag = mapping.tag  # of the bytecode file
        self._stem = _stem(path)

    @property
    def plain_bytecode(self) -> str | None:
        """Where Python keeps the source's bytecode; None where Python has to be asked."""
        return None if self._stem is None else self._stem + _ENDING

    @masked
    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code.

        From our own file where that is sure to be of this source: Python's way there asks for names and headers that
        are known, which takes a tenth of a warm import.
        """
        code = None if self._stem is None or _is_watched() else self._cached(self._stem)
        return SourceFileLoader.get_code(self, fullname) if code is None else code

    def _cached(self, stem: str) -> CodeType | None:
        """The code in our own file; None where there is none, or a look at the source must decide."""
        try:
            status = os.stat(self.path)
            with open_code(f"{stem}-{self.tag}{_ENDING}") as file:
                data = file.read()
        except OSError:
            return None
        if not data.endswith(_stamp(status) + _END) or not data.startswith(MAGIC_NUMBER):
            return None
        code: CodeType = marshal.loads(memoryview(data)[16:])
        _fix_co_filename(code, self.path)
        return code

    @masked
    def source_to_code(  # type: ignore[override]
        self, data: Any, path: Any, *args: Any, _optimize: int = -1
    ) -> CodeType:
        """Compile *data*, converted; as it is when that fails."""
        self.converted = data if isinstance(data, bytes) else None
        from rewriter.progress import progress

        try:
            package = self.name if self.is_package(self.name) else self.name.rpartition(".")[0]
            with progress:
                code = converted_code(
                    data, os.fspath(path), self.mapping, module=self.name, package=package, optimize=_optimize
                )
        except ConversionFailed as failure:
            self.converted = code = None
            failure.warn()
        if code is None:
            code = SourceFileLoader.source_to_code(self, data, path, *args, _optimize=_optimize)
        return code

    @masked
    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's code in *module*."""
        from runtime.imports import begin  # not before: the path may lead to a `runtime` of the program's own

        making = begin(module)
        try:
            SourceFileLoader.exec_module(self, module)
        finally:
            if making is not None:
                making.end()
        let_patch(module)

    def path_stats(self, path: str) -> dict[str, Any]:
        """What Python asks of the source first: its time and size.  Raises OSError."""
        status = os.stat(path)
        self._stamp = _stamp(status)
        self._settled = time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _COARSEST
        return {"mtime": status.st_mtime, "size": status.st_size}

    def get_data(self, path: str) -> bytes:
        """Read *path*; for the module's bytecode, read ours.

        Raises OSError, also when that is not whole or of another source.
        """
        if path == self.path or not self._is_bytecode(path):
            return super().get_data(path)
        path = tagged(path, self.tag)
        data = super().get_data(path)
        if not data.endswith(_END):
            raise OSError(f"{path} is cut off")
        if data[-32:-8] != self._stamp:
            if data[8:16] != source_hash(super().get_data(self.path)):
                raise OSError(f"{path} is of another source")
            if self._settled and not sys.dont_write_bytecode:
                self._write(path, data[:-32])
        return data

    def _is_bytecode(self, path: str) -> bool:
        """Whether *path* is where Python keeps this module's bytecode (by name; to ask Python takes 6 µs)."""
        stem, dot, rest = os.path.basename(self.path).rpartition(".")
        start = f"{stem or rest}{dot}{sys.implementation.cache_tag}."
        return path.endswith(".pyc") and os.path.basename(path).startswith(start)

    def _cache_bytecode(self, source_path: str, bytecode_path: str, data: bytearray) -> None:
        """Write the bytecode in *data*, a pyc with Python's header, to our own file."""
        source = self.converted
        if source is None:
            return
        header = MAGIC_NUMBER + _HASH + source_hash(source)
        self._write(tagged(bytecode_path, self.tag), header + data[16:])

    def _write(self, path: str, data: bytes) -> None:
        """Write a cache file, if that can be."""
        try:
            mode = os.stat(self.path).st_mode & 0o777 | 0o200
        except OSError:
            mode = 0o666
        try:
            write(path, data + (self._stamp if self._settled else _UNSETTLED) + _END, mode)
        except OSError:
            pass


def _stamp(status: os.stat_result) -> bytes:
    """The times of a source, in nanoseconds, and its size."""
    return _pack(status.st_mtime_ns & _ALL, status.st_ctime_ns & _ALL, status.st_size & _ALL)


def _stem(path: str) -> str | None:
    """Where the bytecode of the source at *path* is kept, but for the ending; None where it takes Python to tell.

    Python is asked twice during an import, 3 µs each time.
    """
    tag = sys.implementation.cache_tag
    if sys.pycache_prefix is not None or tag is None or type(path) is not str:
        return None
    folder, _, name = path.rpartition(os.sep)
    if folder[-1:] in ("", os.sep) or (os.altsep or os.sep) in name or name[-3:] != ".py" or name == ".py":
        return None
    return f"{folder}{os.sep}__pycache__{os.sep}{name[:-3]}.{tag}"


def _is_watched() -> bool:
    """Whether somebody has asked for checks of bytecode files, or for words about them."""
    return _imp.check_hash_based_pycs != "default" or sys.flags.verbose > 0


class ConvertingZipLoader(zipimporter):
    """Loads the ``__main__`` of a zip file converted by *mapping*; not cached, as nothing in a zip is."""

    def __init__(self, path: str, mapping: Mapping) -> None:
        super().__init__(path)
        self.mapping = mapping

    @masked
    def get_code(self, fullname: str) -> CodeType:
        """The code of *fullname*, converted where the zip holds its source."""
        source = self.get_source(fullname)
        code = None
        if source is not None:
            try:
                code = converted_code(source, self.get_filename(fullname), self.mapping, module=fullname)
            except ConversionFailed as failure:
                failure.warn()
        return super().get_code(fullname) if code is None else code


def tagged(path: str, tag: str) -> str:
    """The path of our bytecode file beside Python's: the tag follows the interpreter's."""
    cache_tag = sys.implementation.cache_tag
    head, _, tail = path.rpartition(f"{cache_tag}.")
    return f"{head}{cache_tag}-{tag}.{tail}"


def write(path: str, data: bytes, mode: int) -> None:
    """Write *data* to *path* all at once or not at all.  Raises OSError."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.{id(data)}"
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode & 0o666)
    try:
        try:
            rest = memoryview(data)
            while rest:  # one write may take a part, on a disk that fills up
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise

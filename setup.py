"""Builds the compiled core, where there is a compiler; without one the same modules run as they are.

Everything else is said in pyproject.toml.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError


def modules() -> tuple[str, ...]:
    """What `runtime.core` calls the core, which cannot be imported here."""
    for statement in ast.parse(Path("runtime/core.py").read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "MODULES":
            found: tuple[str, ...] = ast.literal_eval(statement.value)
            return found
    raise LookupError("runtime/core.py names no MODULES")


class BuildCore(build_ext):
    """Translates each module of the core to C, with the types that stand in its ``.pxd``, and compiles that."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extension(self, extension: Extension) -> None:
        module = extension.name.rpartition(".")[2]
        translated = Path(self.build_temp, f"{module}.c")
        translated.parent.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", "cython", "-3", "-X", "annotation_typing=False", "-X", "auto_pickle=False",
            "--module-name", f"runtime.{module}", "-o", str(translated), f"runtime/{module}.py",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        extension.sources = [str(translated)]
        super().build_extension(extension)

    def copy_extensions_to_source(self) -> None:
        Path("runtime/compiled").mkdir(exist_ok=True)  # in an editable installation
        super().copy_extensions_to_source()


def core() -> list[Extension]:
    """The core's modules, in the folder that `runtime.core` looks into."""
    greenlet = find_spec("greenlet")
    if greenlet is None or greenlet.origin is None or sys.implementation.name != "cpython":
        return []
    headers = str(Path(greenlet.origin).parent.parent)
    return [
        Extension(
            f"runtime.compiled.{module}",
            sources=[f"runtime/{module}.py"],
            include_dirs=["runtime", headers],
            depends=[str(path) for kind in ("*.h", "*.pxd") for path in Path("runtime").glob(kind)],
            extra_compile_args=[] if sys.platform == "win32" else ["-O2", "-g0"],
            optional=True,
        )
        for module in modules()
    ]


setup(ext_modules=core(), cmdclass={"build_ext": BuildCore})

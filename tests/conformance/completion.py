"""The `test` package with what an installation leaves out of it (distributions do, to save room)."""

from __future__ import annotations

import importlib
import os
import pathlib
import sys


def complete(folder: pathlib.Path, source: pathlib.Path) -> None:
    """Have this process and its children import a `test` package that is put together in *folder*.

    Args:
        folder: an empty one, which must outlive them.
        source: the folder `test` of another copy of the standard library; of what both have, the installed one is
            taken.  What it adds may be of another version: only what passes plain counts.
    """
    import test

    installed = pathlib.Path(test.__path__[0])
    package = folder / "test"
    package.mkdir()
    for place in (installed, source):
        for entry in place.iterdir():
            link = package / entry.name
            if entry.name != "__pycache__" and not link.is_symlink():
                link.symlink_to(entry.absolute())
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    test.__path__[:] = [str(package)]
    importlib.invalidate_caches()

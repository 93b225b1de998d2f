"""Overlays: the whole module, forwarded at access time, and replaced functions that behave like C functions."""

from __future__ import annotations

import os
import pickle
import sys
import time
import types
from collections.abc import Iterator
from unittest import mock

import pytest

from runtime import overlay

ORIGINAL = "a_plain_module"
OVERLAY = "a_plain_module_overlaid"


@pytest.fixture
def plain() -> Iterator[types.ModuleType]:
    module = types.ModuleType(ORIGINAL, "What it is.")
    vars(module).update(number=1, word="w", _private=2, twice=eval("lambda x: 2 * number * x", vars(module)))
    sys.modules[ORIGINAL] = module
    yield module
    del sys.modules[ORIGINAL]


@pytest.fixture
def green(plain: types.ModuleType) -> Iterator[types.ModuleType]:
    module = types.ModuleType(OVERLAY)
    sys.modules[OVERLAY] = module
    vars(module)["word"] = "replaced"
    overlay.forward(vars(module), plain)
    yield module
    del sys.modules[OVERLAY]


def test_what_it_does_not_replace_is_the_originals_at_every_access(
    plain: types.ModuleType, green: types.ModuleType
) -> None:
    """The first access, later ones, and after a change of the original."""
    for value in (1, 2, 3):
        plain.number = value
        assert green.number == value
        assert green.number == value
    assert green.word == "replaced"
    plain.late = "late"
    assert green.late == "late"
    del plain.number
    with pytest.raises(AttributeError, match=f"module '{ORIGINAL}' has no attribute 'number'"):
        _ = green.number


def test_a_forwarded_name_is_assigned_to_the_original(
    plain: types.ModuleType, green: types.ModuleType
) -> None:
    """Before and after the name was looked up; whoever assigns last is heard."""
    for _ in range(2):
        green.number = 5
        assert (green.number, plain.number) == (5, 5)
        plain.number = 6
        assert green.number == 6
    with mock.patch.object(green, "number", 7):
        assert (green.number, plain.number) == (7, 7)
    with mock.patch.object(plain, "number", 8):
        assert green.number == 8
    assert (green.number, plain.number) == (6, 6)
    del green.number
    assert not hasattr(green, "number")
    assert not hasattr(plain, "number")


def test_a_replaced_name_is_assigned_to_both(plain: types.ModuleType, green: types.ModuleType) -> None:
    """And put back in both."""
    before = green.word, plain.word
    with mock.patch.object(green, "word", "mocked"):
        assert (green.word, plain.word) == ("mocked", "mocked")
    assert (green.word, plain.word) == before


def test_it_looks_like_the_original(plain: types.ModuleType, green: types.ModuleType) -> None:
    """Documentation, dir() and star imports."""
    assert green.__doc__ == "What it is."
    assert dir(green) == sorted(dir(plain))
    found: dict[str, object] = {}
    exec(f"from {OVERLAY} import *", found)
    assert {"number", "word", "twice"} <= set(found)
    assert "_private" not in found


def test_a_rebound_function_uses_the_overlays_names(plain: types.ModuleType) -> None:
    """Its code, over the overlay's globals where these have the name."""
    namespace: dict[str, object] = {"number": 10}
    twice = overlay.rebind(plain.twice, namespace, plain)
    assert (twice(1), plain.twice(1)) == (20, 2)
    namespace["number"] = 100
    assert twice(1) == 200


def test_a_replaced_function_does_not_bind_in_a_class() -> None:
    """As a C function does not: ``class Retry: wait = time.sleep``."""
    from runtime.green import time

    class Retry:
        wait = time.sleep

    assert Retry().wait(0) is None  # type: ignore[call-arg, arg-type]
    assert time.sleep.__module__ == "time"
    assert time.sleep.__name__ == "sleep"


def test_an_exception_of_an_overlay_can_be_pickled() -> None:
    """It is the original's."""
    from runtime.green import socket

    assert pickle.loads(pickle.dumps(socket.gaierror(1))).args == (1,)


def test_a_replaced_function_is_pickled_as_the_original() -> None:
    """A process pool of plain children can call it."""
    import os as plain_os
    import time as plain_time

    from runtime.green import os, time

    assert pickle.loads(pickle.dumps(time.sleep)) is plain_time.sleep
    assert pickle.loads(pickle.dumps(os.stat)) is plain_os.stat


def test_its_file_is_the_originals() -> None:
    """Programs look for what stands beside ``os.__file__``; what is built in has no file."""
    from runtime.green import os as green_os
    from runtime.green import time as green_time

    assert green_os.__file__ == os.__file__
    assert not hasattr(green_time, "__file__")
    assert green_time.sleep is not time.sleep, "it is still the overlay"

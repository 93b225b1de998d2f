"""What the tests of Stackless's API share: nobody is left in the ring after a test, and real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime import stackless
from tests.runtime.conftest import environment, program

__all__ = ["environment", "program"]


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    """The ring has its main tasklet alone, before a test and after it; no callback or trap is left."""
    assert stackless.getruncount() == 1
    yield
    assert stackless.switch_trap() == 0
    assert stackless.set_error_handler(None) is None
    assert stackless.set_schedule_callback(None) is None
    assert stackless.set_channel_callback(None) is None
    assert stackless.getruncount() == 1

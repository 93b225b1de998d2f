"""Task groups: nothing outlives the block."""

from __future__ import annotations

import pytest

import runtime
from runtime import TaskGroup, TaskletExit

pytestmark = pytest.mark.usefixtures("backend")


def test_the_block_ends_when_all_have_ended() -> None:
    """Also those that members started."""
    log: list[str] = []

    def outer() -> None:
        group.spawn(inner)
        log.append("outer")

    def inner() -> None:
        runtime.sleep(0.001)
        log.append("inner")

    with TaskGroup() as group:
        group.spawn(outer)
        log.append("body")
    assert log == ["body", "outer", "inner"]


def test_the_first_error_ends_the_others_and_the_body() -> None:
    """Its siblings are killed, the body's wait is interrupted, and the error is in a group."""
    log: list[str] = []

    def sibling() -> None:
        try:
            runtime.sleep(1000)
        finally:
            log.append("sibling ended")

    def fail() -> None:
        raise ValueError("first")

    with pytest.raises(ExceptionGroup) as caught, TaskGroup() as group:  # noqa: PT012
        group.spawn(sibling)
        group.spawn(fail)
        runtime.sleep(1000)
        log.append("not reached")
    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('first')"]
    assert log == ["sibling ended"]


def test_an_error_of_the_body_alone_is_raised_as_it_is() -> None:
    """And the members are ended."""
    members = []
    with pytest.raises(KeyError), TaskGroup() as group:  # noqa: PT012
        members.append(group.spawn(runtime.sleep, 1000))
        runtime.schedule()
        raise KeyError("body")
    assert members[0].done


def test_a_killed_member_is_no_error() -> None:
    """Nor does it end the others."""
    with TaskGroup() as group:
        killed = group.spawn(runtime.sleep, 1000)
        other = group.spawn(lambda: runtime.sleep(0.001) or 7)
        runtime.schedule()
        killed.kill()
    assert other.result() == 7


def test_killing_the_parent_ends_the_members() -> None:
    """The parent ends after them."""
    log: list[str] = []

    def member() -> None:
        try:
            runtime.sleep(1000)
        finally:
            log.append("member")

    def parent() -> None:
        try:
            with TaskGroup() as group:
                group.spawn(member)
        except TaskletExit:
            log.append("parent")
            raise

    tasklet = runtime.spawn(parent)
    runtime.schedule()
    runtime.schedule()
    tasklet.kill()
    assert log == ["member", "parent"]


def test_nothing_joins_a_group_that_is_over() -> None:
    """spawn() outside the block is an error."""
    group = TaskGroup()
    with pytest.raises(RuntimeError, match="not running"):
        group.spawn(int)
    with group:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        group.spawn(int)


def test_a_timeout_around_a_group_is_a_timeout_error_although_members_fail_while_ending() -> None:
    """The timeout's private exception is not seen by anybody."""

    def member() -> None:
        try:
            runtime.sleep(1000)
        finally:
            raise ValueError("while ending")

    with pytest.raises(BaseException) as caught, runtime.timeout(0.01), TaskGroup() as group:
        group.spawn(member)
    assert "_Expired" not in repr(caught.value)


def test_a_kill_while_the_group_ends_by_an_error_is_not_lost() -> None:
    """A tasklet that is killed while its group winds down ends, even if it caught the group's error."""
    log: list[str] = []

    def member() -> None:
        try:
            runtime.sleep(1000)
        finally:
            runtime.sleep(0.01)

    def parent() -> None:
        try:
            with TaskGroup() as group:
                group.spawn(member)
                runtime.schedule()
                raise KeyError("body")
        except KeyError:
            log.append("caught")
        runtime.schedule()
        log.append("went on")

    tasklet = runtime.spawn(parent)
    for _ in range(3):
        runtime.schedule()
    tasklet.kill()
    assert "went on" not in log

"""The file of numbered blocks tells a wrong read, and one that was answered from memory."""

from __future__ import annotations

import os
import pathlib

import pytest

from benchmarks.peers import blocks


def test_the_sum_tells_which_blocks_were_read(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "blocks")
    blocks.write(path, 300)
    assert os.stat(path).st_size == 300 * blocks.SIZE
    offsets = blocks.chosen(path, 250)
    assert len(set(offsets)) == 250
    assert offsets == blocks.chosen(path, 250)
    data = pathlib.Path(path).read_bytes()
    assert sum(data[at : at + blocks.SIZE][-1] for at in offsets) == blocks.expected(offsets)
    assert sorted(at for share in blocks.shares(offsets, 7) for at in share) == sorted(offsets)


def test_reads_from_memory_are_no_cold_reads(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "blocks")
    blocks.write(path, 100)
    fd = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(blocks.WarmError, match="set TMPDIR"), blocks.dropped(fd, 100):
            os.pread(fd, blocks.SIZE, 0)
    finally:
        os.close(fd)

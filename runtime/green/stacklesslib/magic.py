"""``stacklesslib.magic``: made a program of threads one of tasklets; conversion has done that."""

from runtime.green.stacklesslib.monkeypatch import patch_all as monkeypatch

__all__ = ["monkeypatch"]

"""Messages between the supervisor and the processes it starts: lines of JSON over a Unix socket, with descriptors."""

from __future__ import annotations

import json
import os
from array import array
from socket import SCM_RIGHTS, SOL_SOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_MOST = 8  # descriptors in one message
_CHUNK = 65536


class Wire:
    """One end of *sock*, a connected stream socket: the plain kind, or one that waits in the hub."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._received = bytearray()
        self._fds: list[int] = []

    def fileno(self) -> int:
        return int(self._socket.fileno())

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send *message* with copies of *fds*.

        Raises:
            OSError: nobody is there any more.
        """
        if fds:
            message = {**message, "fds": len(fds)}
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if fds:  # they travel with the first octet
            self._socket.sendmsg([line[:1]], [(SOL_SOCKET, SCM_RIGHTS, array("i", fds))])
            line = line[1:]
        self._socket.sendall(line)

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message and its descriptors, which the caller closes; None when the other end has gone."""
        while b"\n" not in self._received:
            try:
                octets, ancillary, _, _ = self._socket.recvmsg(_CHUNK, _MOST * array("i").itemsize + 64)
            except OSError:  # it has gone, or this end was closed meanwhile
                octets, ancillary = b"", []
            for level, kind, payload in ancillary:
                if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                    came = array("i")
                    came.frombytes(payload[: len(payload) - len(payload) % came.itemsize])
                    self._fds += came
            if not octets:
                self.close()
                return None
            self._received += octets
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        fds, self._fds = self._fds[: message.get("fds", 0)], self._fds[message.get("fds", 0) :]
        return message, list(fds)

    def close(self) -> None:
        """Close this end, and descriptors that nobody took."""
        self._socket.close()
        while self._fds:
            os.close(self._fds.pop())

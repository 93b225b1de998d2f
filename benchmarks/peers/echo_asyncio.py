"""Echo on asyncio: `echo_asyncio.py streams|protocol [uvloop]`."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import asyncio
import resource
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import cast


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


def announce(server: asyncio.Server) -> None:
    print("listening on 127.0.0.1 port", server.sockets[0].getsockname()[1], flush=True)


async def streams() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0, family=socket.AF_INET, backlog=1024)
    announce(server)
    await server.serve_forever()


async def protocol() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, family=socket.AF_INET, backlog=1024)
    announce(server)
    await server.serve_forever()


WAYS: dict[str, Callable[[], Coroutine[object, object, None]]] = {"streams": streams, "protocol": protocol}


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    way = WAYS[sys.argv[1]]
    if sys.argv[2:] == ["uvloop"]:
        import uvloop

        uvloop.run(way())
    else:
        asyncio.run(way())


if __name__ == "__main__":
    main()

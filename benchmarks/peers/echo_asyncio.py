"""Echo on asyncio: `echo_asyncio.py streams|protocol [asyncio|uvloop [CERTIFICATE KEY]]`; the latter over TLS."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import asyncio
import resource
import socket
import ssl
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


async def streams(context: ssl.SSLContext | None) -> None:
    server = await asyncio.start_server(
        echo, "127.0.0.1", 0, family=socket.AF_INET, backlog=1024, ssl=context
    )
    announce(server)
    await server.serve_forever()


async def protocol(context: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, family=socket.AF_INET, backlog=1024, ssl=context)
    announce(server)
    await server.serve_forever()


Way = Callable[[ssl.SSLContext | None], Coroutine[object, object, None]]
WAYS: dict[str, Way] = {"streams": streams, "protocol": protocol}


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    way, *more = sys.argv[1:]
    loop, *files = more or ["asyncio"]
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    if loop == "uvloop":
        import uvloop

        uvloop.run(WAYS[way](context))
    else:
        asyncio.run(WAYS[way](context))


if __name__ == "__main__":
    main()

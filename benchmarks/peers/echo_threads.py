"""Echo with `threading` and `socket`: run as it is, converted, and under gevent's and eventlet's
monkeypatching."""

from __future__ import annotations

import resource
import socket
import threading


def echo(connection: socket.socket) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(65536):
            connection.sendall(data)


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print("listening on 127.0.0.1 port", listener.getsockname()[1], flush=True)
        while True:
            connection, _address = listener.accept()
            threading.Thread(target=echo, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()

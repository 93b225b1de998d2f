"""Echo over TLS with `threading`, `socket` and `ssl`: `echo_tls.py CERTIFICATE KEY`, run as it is, converted, and
under gevent's and eventlet's monkeypatching."""

from __future__ import annotations

import resource
import socket
import ssl
import sys
import threading


def echo(connection: socket.socket, context: ssl.SSLContext) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(connection, server_side=True) as secure:
        while data := secure.recv(65536):
            secure.sendall(data)


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print("listening on 127.0.0.1 port", listener.getsockname()[1], flush=True)
        while True:
            connection, _address = listener.accept()
            threading.Thread(target=echo, args=(connection, context), daemon=True).start()


if __name__ == "__main__":
    main()

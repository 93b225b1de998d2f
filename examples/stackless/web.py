"""A web server: a tasklet accepts, and each connection is a tasklet that reads requests and answers them.

python -m rewriter examples/stackless/web.py --port 8000
"""

import argparse
import socket
import time

import stackless

PAGES = {}


def page(path):
    """Decorate the function that makes the body for *path*."""

    def register(function):
        PAGES[path] = function
        return function

    return register


@page("/")
def index(server):
    return f"{server.answered} requests so far. Pages: {' '.join(sorted(PAGES))}\n"


@page("/slow")
def slow(server):
    time.sleep(server.delay)  # nobody else waits for this
    return "that took a while\n"


@page("/broken")
def broken(server):
    raise RuntimeError("a bug in a handler ends this request and no other")


class Server:
    def __init__(self, listener, delay):
        self.listener = listener
        self.delay = delay
        self.answered = 0

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            stackless.tasklet(self.serve)(connection)

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            while request := lines.readline(8000):
                while (header := lines.readline(8000)) != b"\r\n":
                    if not header:  # the client has gone in the midst of it
                        return
                status, body = self.answer(request.decode("latin-1").split())
                connection.sendall(
                    f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )

    def answer(self, request):
        if len(request) != 3 or request[0] != "GET":
            return "400 Bad Request", b"GET only\n"
        make = PAGES.get(request[1])
        if make is None:
            return "404 Not Found", b"no such page\n"
        try:
            body = make(self).encode()
        except Exception as error:
            return "500 Internal Server Error", f"{error}\n".encode()
        self.answered += 1
        return "200 OK", body


def survive(kind, error, traceback):
    """The error handler: what a client does ends its own tasklet only."""
    print(f"web: a connection ended: {error!r}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0: any (default: %(default)s)")
    parser.add_argument(
        "--delay", type=float, default=2.0, help="of /slow, in seconds (default: %(default)s)"
    )
    given = parser.parse_args()
    with socket.create_server((given.host, given.port), backlog=1000) as listener:
        print("web: listening on {} port {}".format(*listener.getsockname()), flush=True)
        server = Server(listener, given.delay)
        stackless.set_error_handler(survive)
        stackless.tasklet(server.accept)()
        try:
            stackless.run()
        except KeyboardInterrupt:
            print(f"web: {server.answered} requests answered")


if __name__ == "__main__":
    main()

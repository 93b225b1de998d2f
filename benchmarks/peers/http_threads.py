"""The standard library's ThreadingHTTPServer, a small page for every GET; `--keep-alive` speaks HTTP/1.1."""

from __future__ import annotations

import http.server
import resource
import sys

PAGE = b"x" * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if "--keep-alive" in sys.argv[1:]:
        Handler.protocol_version = "HTTP/1.1"
        Handler.wbufsize = -1  # headers and page in one segment: Nagle's algorithm would wait between them
    with Server(("127.0.0.1", 0), Handler) as server:
        print("listening on 127.0.0.1 port", server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

"""Tasklets fetch over HTTP at the same time, with plain urllib; the slow server is in here too.

python -m rewriter examples/stackless/fetch.py --count 20 --delay 0.5
"""

import argparse
import http.server
import threading
import time
import urllib.request

import stackless


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers after a while."""

    delay = 0.5

    def do_GET(self):
        time.sleep(self.delay)
        body = f"page {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1000  # all of them may knock at once


def fetch(url, results):
    with urllib.request.urlopen(url) as answer:
        results.send(answer.read().decode())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20, help="pages to fetch (default: %(default)s)")
    parser.add_argument(
        "--delay", type=float, default=0.5, help="seconds the server takes (default: %(default)s)"
    )
    given = parser.parse_args()
    Slow.delay = given.delay
    server = Server(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    results = stackless.channel()
    began = time.monotonic()
    for number in range(given.count):
        stackless.tasklet(fetch)(f"http://127.0.0.1:{server.server_port}/{number}", results)
    pages = [results.receive() for _ in range(given.count)]  # in the order in which they come
    seconds = time.monotonic() - began
    server.shutdown()
    print(
        f"{len(set(pages))} pages; one after another they take {given.count * given.delay:.1f} s, together it took",
        end=" ",
    )
    print("less" if seconds < given.count * given.delay else "as long", f"({seconds:.1f} s)")


if __name__ == "__main__":
    main()

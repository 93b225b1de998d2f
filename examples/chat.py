"""A chat server for telnet or netcat, with two threads per guest: one reads, one writes.

    python examples/chat.py --port 7788
    python -m rewriter examples/chat.py --port 7788   # the same, on one OS thread

    telnet 127.0.0.1 7788        (or: nc 127.0.0.1 7788)

Whoever connects is asked for a name; after that each line goes to everyone. `/help` lists the commands. Each
guest has an outbox that the writing thread empties, so that a guest with a slow line delays nobody; when an
outbox is full its guest is dropped. Nothing here knows about conversion. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import re
import socket
import sys
import threading
from collections.abc import Callable

LINE = 1000  # bytes; a longer line is cut
OUTBOX = 256  # lines that may wait for one guest
LINGER = 2.0  # seconds a guest that left has for reading what was said to it
NAME = re.compile(r"\w[\w-]{0,19}")
TELNET = re.compile(rb"\xff[\xfb-\xfe].|\xff.", re.DOTALL)  # RFC 854: IAC WILL…DONT option, IAC command


class Guest:
    """One connection: `read` is its reading thread's loop, `write` its writing thread's."""

    def __init__(self, connection: socket.socket, room: Room) -> None:
        self.connection = connection
        self.room = room
        self.name = ""
        self.outbox: queue.Queue[str | None] = queue.Queue(OUTBOX)

    def tell(self, text: str) -> None:
        """Put a line into the outbox; never waits."""
        try:
            self.outbox.put_nowait(text)
        except queue.Full:
            self.hang_up()

    def hang_up(self) -> None:
        """Wake both threads: the reader reads the end, the writer fails or finds the end of its outbox."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def write(self) -> None:
        try:
            while (text := self.outbox.get()) is not None:
                self.connection.sendall(text.encode() + b"\r\n")
        except OSError:
            self.hang_up()

    def read(self) -> None:
        writer = threading.Thread(target=self.write, daemon=True)
        writer.start()
        try:
            with self.connection.makefile("rb") as lines:
                if self.introduce(lines.readline):
                    while (line := self.line(lines.readline)) is not None and self.obey(line):
                        pass
        except OSError:
            pass  # gone without a word
        finally:
            self.room.leave(self)
            self.finish(writer)

    def finish(self, writer: threading.Thread) -> None:
        """Send what was said to this guest before it left, but do not wait for one that no longer reads."""
        try:
            self.outbox.put(None, timeout=LINGER)
            writer.join(LINGER)
        except queue.Full:
            pass
        self.hang_up()  # from here on every sendall() fails
        with contextlib.suppress(queue.Full):  # still full: then the writer has something to fail with
            self.outbox.put_nowait(None)
        writer.join()
        self.connection.close()

    def line(self, readline: Callable[[int], bytes]) -> str | None:
        """The next line without its end and without control characters; None at the end."""
        data = readline(LINE)
        if not data:
            return None
        rest = data
        while rest and not rest.endswith(b"\n"):  # too long: the remainder of this line is dropped
            rest = readline(LINE)
        text = TELNET.sub(b"", data).decode(errors="replace")
        return "".join(c for c in text if c.isprintable()).strip()

    def introduce(self, readline: Callable[[int], bytes]) -> bool:
        self.tell("Welcome. What is your name?")
        while (name := self.line(readline)) is not None:
            if self.room.enter(self, name):
                return True
        return False

    def obey(self, line: str) -> bool:
        """Do what a line asks for; False when the guest leaves."""
        if not line.startswith("/"):
            if line:
                self.room.say(f"<{self.name}> {line}", self)
            return True
        word, _, rest = line.partition(" ")
        command = COMMANDS.get(word)
        if command is None:
            self.tell(f"* There is no {word}. /help lists what there is.")
            return True
        return command(self, rest.strip())

    def nick(self, name: str) -> bool:
        """/nick NAME: be called NAME"""
        self.room.rename(self, name)
        return True

    def who(self, _rest: str) -> bool:
        """/who: list who is here"""
        self.tell("* Here: " + ", ".join(self.room.names()))
        return True

    def me(self, what: str) -> bool:
        """/me DOES: say what you do"""
        if what:
            self.room.say(f"* {self.name} {what}", self)
        return True

    def help(self, _rest: str) -> bool:
        """/help: this list"""
        for command in COMMANDS.values():
            self.tell(f"* {command.__doc__}")
        return True

    def quit(self, _rest: str) -> bool:
        """/quit: leave"""
        self.tell("* Good bye.")
        return False


COMMANDS: dict[str, Callable[[Guest, str], bool]] = {
    f"/{command.__name__}": command for command in (Guest.nick, Guest.who, Guest.me, Guest.help, Guest.quit)
}


class Room:
    """Who is here, by name in lower case. Every method may be called from any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.guests: dict[str, Guest] = {}

    def enter(self, guest: Guest, name: str) -> bool:
        if not self._take(guest, name):
            return False
        guest.tell(f"* Hello {name}. Here: {', '.join(self.names())}")
        self.say(f"* {name} came", guest)
        return True

    def rename(self, guest: Guest, name: str) -> None:
        old = guest.name
        if self._take(guest, name):
            guest.tell(f"* You are {name} now")
            self.say(f"* {old} is {name} now", guest)

    def _take(self, guest: Guest, name: str) -> bool:
        if not NAME.fullmatch(name):
            guest.tell("* A name has up to 20 letters, digits, _ and -. Another one?")
            return False
        with self.lock:
            if self.guests.get(name.lower(), guest) is not guest:
                taken = True
            else:
                taken = False
                if guest.name:
                    del self.guests[guest.name.lower()]
                self.guests[name.lower()] = guest
                guest.name = name
        if taken:
            guest.tell(f"* {name} is taken. Another one?")
        return not taken

    def leave(self, guest: Guest) -> None:
        if guest.name:
            with self.lock:
                del self.guests[guest.name.lower()]
            self.say(f"* {guest.name} left", guest)

    def say(self, text: str, speaker: Guest) -> None:
        with self.lock:  # held while telling, so that everyone sees the same order; telling never waits
            for guest in self.guests.values():
                if guest is not speaker:
                    guest.tell(text)

    def names(self) -> list[str]:
        with self.lock:
            return sorted(guest.name for guest in self.guests.values())


def port_number(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return value


def main() -> int:
    description, _, epilog = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=7788, help="0: a free one (default: 7788)")
    options = parser.parse_args()
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family)
    except OSError as error:
        print(f"chat: cannot listen on {options.host} port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    host, port = listener.getsockname()[:2]
    print(f"chat: listening on {host} port {port}", flush=True)
    room = Room()
    with listener, contextlib.suppress(KeyboardInterrupt):
        while True:
            connection, _peer = listener.accept()
            threading.Thread(target=Guest(connection, room).read, daemon=True).start()
    print("chat: closed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Each program of examples/stackless does what it says; order is asserted, never milliseconds."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.test_examples import TIMEOUT, Server

ROOT = pathlib.Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "stackless"
COMMAND = [sys.executable, "-m", "rewriter"]


def run(example: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """What *example* prints; it must not complain."""
    done = subprocess.run(
        [*COMMAND, *options, str(EXAMPLES / example), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextlib.contextmanager
def serving(example: str, *arguments: str) -> Iterator[Server]:
    process = subprocess.Popen(
        [*COMMAND, str(EXAMPLES / example), "--port", "0", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield Server(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_says_how_it_is_used_and_imports_nothing_of_ours(example: str) -> None:
    text = (EXAMPLES / example).read_text()
    assert f"python -m rewriter examples/stackless/{example}" in text
    assert not re.search(r"^\s*(?:import|from)\s+(?:runtime|rewriter|greenlet)\b", text, re.MULTILINE)
    assert f"`{example}`" in (EXAMPLES / "README.md").read_text()
    assert "argparse.ArgumentParser(" in text


def test_ping_and_pong_alternate() -> None:
    assert run("pingpong.py", "--rounds", "2").split() == ["ping", "1", "pong", "2", "ping", "3", "pong", "4"]


def test_every_hackysacker_goes_home() -> None:
    assert "1000 kicks in a circle of 50: 50 went home\n" in run(
        "hackysack.py", "--players", "50", "--kicks", "1000"
    )


def test_what_is_produced_is_consumed_once_and_in_turns() -> None:
    lines = run("producers.py").splitlines()
    assert lines[-1] == "12 items; 0 tasklets left"
    taken = [line.split(" takes ") for line in lines[:-1]]
    assert sorted(item for _, item in taken) == sorted(f"{name}{n}" for name in "abc" for n in range(4))
    assert {name for name, _ in taken[:2]} == {"consumer 0", "consumer 1"}


def test_the_circuit_adds() -> None:
    assert run("circuits.py", "1", "65534", "3") == "0 + 1 = 1\n1 + 65534 = 65535\n65535 + 3 = 65538\n"


def test_a_number_goes_through_the_whole_chain() -> None:
    assert run("chain.py", "--length", "5000").startswith("5000 tasklets passed it on\n")


def test_pages_are_fetched_at_the_same_time() -> None:
    assert run("fetch.py", "--count", "8", "--delay", "0.4").startswith(
        "8 pages; one after another they take 3.2 s, together it took less"
    )


@pytest.mark.parametrize(("options", "counts"), [((), "0"), (("--threads", "native"), "123")])
def test_a_channel_goes_between_threads_of_both_kinds(options: tuple[str, ...], counts: str) -> None:
    lines = run("threads.py", "--numbers", "30", options=options).splitlines()
    assert lines[0].split() == [f"{number}^2={number * number}" for number in range(30)]
    assert re.fullmatch(f"OS threads at work beside this one: [{counts}]", lines[1])


def test_the_web_server_answers_while_a_slow_page_is_made() -> None:
    with serving("web.py", "--delay", "0.5") as server:
        url = "http://{}:{}".format(*server.address)
        with server.connect() as slow:
            slow.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
            with urllib.request.urlopen(f"{url}/") as answer:
                assert answer.read() == b"0 requests so far. Pages: / /broken /slow\n"
            assert slow.recv(1000).endswith(b"that took a while\n")
        for page, code in (("/nothing", 404), ("/broken", 500)):
            with pytest.raises(urllib.error.HTTPError) as error, urllib.request.urlopen(url + page):
                pass
            assert error.value.code == code
            error.value.close()
        with server.connect() as rude:
            rude.sendall(b"nonsense")
        # Who left in the midst of a request holds up nobody.
        with urllib.request.urlopen(f"{url}/", timeout=TIMEOUT) as answer:
            assert answer.read().startswith(b"2 requests so far.")
        server.process.send_signal(signal.SIGINT)
        code, output = server.end()
    assert (code, output) == (0, "web: 3 requests answered\n")


class Guest:
    """A player's end of a connection."""

    def __init__(self, server: Server, name: str, connection: socket.socket | None = None) -> None:
        self.connection = connection or server.connect()
        self.lines = self.connection.makefile("r", encoding="utf-8", newline="\r\n")
        assert self.hears("Who are you?")
        self.says(name)

    def says(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def hears(self, text: str) -> str:
        """Read until a line has *text* in it; that line."""
        while True:
            line = self.lines.readline()
            assert line, f"never heard {text!r}"
            if text in line:
                return line.strip()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.lines.close()
        self.connection.close()


def test_players_of_the_dungeon_move_talk_and_meet(tmp_path: pathlib.Path) -> None:
    with (
        serving("mud.py", "--tick", "0.01") as server,
        Guest(server, "ada") as ada,
        Guest(server, "ben") as ben,
    ):
        assert ada.hears("Ben has come.")
        ben.hears("Here: Ada")
        ada.says("say hello", "shout is anybody there", "tell ben psst", "who")
        for line in ("Ada says: hello", "Ada shouts: is anybody there", "Ada tells you: psst"):
            assert ben.hears(line) == line
        assert ada.hears("Players:") == "Players: Ada Ben"
        ben.says("north")
        assert ada.hears("goes") == "Ben goes north."
        ben.hears("[gate]")
        ben.says("fly", "go up", "south")
        ben.hears("You cannot 'fly' here")
        ben.hears("There is no way.")
        assert ada.hears("Ben arrives.")
        ben.says("help", "quit")
        ben.hears("say TEXT: to all in the room")
        ben.hears("Good bye.")
        assert ada.hears("Ben has gone.")


def test_fights_go_on_while_others_play_and_somebody_wins() -> None:
    with (
        serving("mud.py", "--tick", "0.005") as server,
        Guest(server, "ada") as ada,
        Guest(server, "ben") as ben,
    ):
        ada.says("down")
        ada.hears("[cellar]")
        ada.hears("hits")  # the rat does not wait for long
        ben.says("say meanwhile")
        assert ben.hears("Ben says: meanwhile")
        winner = ada.hears("has beaten")
        ada.says("score")
        score = 6 if winner == "Ada has beaten rat!" else 0
        assert ada.hears("score").endswith(f"score {score}.")


def test_players_can_fight_each_other() -> None:
    with (
        serving("mud.py", "--tick", "0.005") as server,
        Guest(server, "ada") as ada,
        Guest(server, "ben") as ben,
    ):
        ada.hears("Ben has come")
        ada.says("kill nobody", "kill ben")
        assert ada.hears("There is no nobody here.")
        assert ben.hears("attacks") == "Ada attacks Ben!"
        winner = ada.hears("has beaten")
        loser = ben if winner == "Ada has beaten Ben!" else ada
        assert loser.hears("Everything goes dark.")


def test_the_game_is_saved_while_others_play_and_goes_on_after_a_restart(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "game.json"
    arguments = ("--save", str(path), "--every", "0.05")
    with serving("mud.py", *arguments) as server, Guest(server, "ada") as ada:
        ada.says("east")
        ada.hears("[tavern]")
        deadline = time.monotonic() + TIMEOUT
        while not (path.exists() and json.loads(path.read_text()).get("ada", {}).get("room") == "tavern"):
            assert time.monotonic() < deadline
            ada.says("say still here")
            ada.hears("still here")
        server.process.send_signal(signal.SIGINT)
        code, output = server.end()
        assert (code, output) == (0, "mud: closed with 1 players\n")
    with serving("mud.py", *arguments) as server, Guest(server, "ADA") as ada:
        assert ada.hears("[").startswith("[tavern]")


def test_hundreds_of_players_hear_each_other() -> None:
    count = 200
    with serving("mud.py") as server, contextlib.ExitStack() as stack:
        guests = [stack.enter_context(Guest(server, f"p{letters(number)}")) for number in range(count)]
        guests[-1].hears("[square]")
        guests[-1].says("shout attention")
        for guest in guests:
            guest.hears("shouts: attention")
        tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
        if tasks.exists():
            assert len(list(tasks.iterdir())) < 12


def letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_a_player_who_does_not_read_is_thrown_out_and_delays_nobody() -> None:
    with serving("mud.py") as server, Guest(server, "ada") as ada, socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.settimeout(TIMEOUT)
        narrow.connect(server.address)
        with Guest(server, "deaf", narrow):
            ada.hears("Deaf has come.")
            for _ in range(100):
                ada.says(*["say " + "x" * 390] * 200)
                if any("Deaf has gone" in ada.lines.readline() for _ in range(200)):
                    return
        raise AssertionError("nobody was thrown out")


def test_nothing_of_a_bad_client_hurts_the_server() -> None:
    with serving("mud.py") as server, Guest(server, "ada") as ada:
        with server.connect() as nameless:
            assert nameless.recv(3) == b"Who"
        with Guest(server, "mallory") as mallory:
            mallory.connection.sendall(b"\xff\xfd\x03" + b"y" * 5000 + b"\n")
            ada.hears("Mallory has come.")
        assert ada.hears("Mallory has gone.")
        ada.says("say still here")
        ada.hears("still here")


def test_a_taken_name_is_asked_for_again() -> None:
    with serving("mud.py") as server, Guest(server, "ada"), Guest(server, "ADA") as other:
        other.hears("Another name")
        other.says("x y", "ben")
        other.hears("Another name")
        other.hears("[square]")
        assert isinstance(other.connection, socket.socket)

"""A multi-user dungeon for telnet: each player, fight and monster is a tasklet, and so is the saving of the game.

python -m rewriter examples/stackless/mud.py --port 4000 --save mud.json
telnet 127.0.0.1 4000        (or: nc 127.0.0.1 4000)

Whoever connects is asked for a name, and goes on where the player of that name was when the game was last saved.
``help`` lists the commands.  The game is saved every few seconds while others play, and at the end: Ctrl-C ends it.
"""

import argparse
import json
import os
import random
import socket
import time

import stackless

LINE = 400  # characters of a line from a player that are read
OUTBOX = 1000  # lines that may wait for a slow player before he is thrown out

MAP = {
    "square": (
        "The market square. A fountain murmurs.",
        {"north": "gate", "east": "tavern", "down": "cellar"},
    ),
    "tavern": ("A tavern, warm and loud.", {"west": "square"}),
    "gate": ("The town gate. Beyond it lies the forest.", {"south": "square", "north": "forest"}),
    "forest": ("A dark forest. Something rustles.", {"south": "gate", "east": "clearing"}),
    "clearing": ("A clearing with a ring of stones.", {"west": "forest"}),
    "cellar": ("A damp cellar under the fountain.", {"up": "square"}),
}
MONSTERS = [("rat", "cellar", 6), ("wolf", "forest", 12), ("troll", "clearing", 30)]  # name, room, health
COMMANDS = {}


def command(*names):
    """Decorate a method of `Player`: what *names* do.  Its docstring is the help."""

    def register(method):
        for name in names:
            COMMANDS[name] = method
        return method

    return register


class Room:
    def __init__(self, name, text, exits):
        self.name = name
        self.text = text
        self.exits = exits
        self.beings = []

    def tell(self, text, *but):
        for being in list(self.beings):
            if being not in but:
                being.hear(text)

    def find(self, name):
        return next((being for being in self.beings if being.name.lower() == name.lower()), None)


class Being:
    """Whoever is in a room and can fight."""

    strength = 4

    def __init__(self, world, name, room, health):
        self.world = world
        self.name = name
        self.health = self.full = health
        self.fight = None
        self.room = None
        self.enter(world.rooms[room])

    def hear(self, text):
        pass

    def enter(self, room):
        if self.room is not None:
            self.room.beings.remove(self)
        self.room = room
        room.beings.append(self)

    def attack(self, other):
        """Start a fight: a tasklet of its own, so that both may do something else meanwhile."""
        if self.fight is None:
            self.fight = stackless.tasklet(self.exchange_blows)(other)
        if other.fight is None:
            other.fight = stackless.tasklet(other.exchange_blows)(self)

    def exchange_blows(self, other):
        try:
            while self.room is other.room and self.health > 0 and other.health > 0:
                damage = random.randint(1, self.strength)
                other.health -= damage
                self.room.tell(f"{self.name} hits {other.name} for {damage}.")
                if other.health <= 0:
                    self.room.tell(f"{self.name} has beaten {other.name}!")
                    self.won(other)
                    other.beaten()
                time.sleep(self.world.tick)
        finally:
            self.fight = None

    def won(self, other):
        pass

    def beaten(self):
        pass


class Monster(Being):
    def __init__(self, world, name, room, health):
        super().__init__(world, name, room, health)
        self.home = room
        stackless.tasklet(self.live)()

    def live(self):
        """Attack whoever is here, now and then."""
        while True:
            time.sleep(self.world.tick * random.uniform(2, 5))
            prey = [being for being in self.room.beings if isinstance(being, Player)]
            if prey and self.fight is None and self.health > 0:
                self.attack(random.choice(prey))

    def beaten(self):
        self.room.beings.remove(self)
        stackless.tasklet(self.come_back)()

    def come_back(self):
        time.sleep(self.world.tick * 20)
        self.health = self.full
        self.room = None
        self.enter(self.world.rooms[self.home])
        self.room.tell(f"A {self.name} appears.", self)


class Player(Being):
    """Two tasklets: one reads commands, one writes what the player hears, so that nobody waits for a slow line."""

    strength = 6

    def __init__(self, world, connection, name, saved):
        self.connection = connection
        self.outbox = []
        self.bell = stackless.channel()
        self.bell.preference = 1  # who rings goes on
        self.score = saved.get("score", 0)
        world.players[name.lower()] = self
        super().__init__(world, name, saved.get("room", "square"), 30)
        self.health = max(1, saved.get("health", 30))
        self.writer = stackless.tasklet(self.write)()

    def hear(self, text):
        if len(self.outbox) >= OUTBOX:
            self.hang_up()
            return
        self.outbox.append(text)
        if self.bell.balance < 0:
            self.bell.send(None)

    def write(self):
        try:
            while True:
                while self.outbox:
                    lines, self.outbox = self.outbox, []
                    self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
                self.bell.receive()
        except OSError:
            self.hang_up()

    def hang_up(self):
        """End both tasklets: to close the socket would leave the reader waiting, since it has a file of its own."""
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def play(self, lines):
        self.room.tell(f"{self.name} has come.", self)
        self.look()
        while (line := read(lines)) is not None:
            word, _, rest = line.partition(" ")
            if word == "quit":
                self.hear("Good bye.")
                return
            method = COMMANDS.get(word.lower())
            if method is not None:
                method(self, rest.strip())
            elif word in self.room.exits:
                self.go(word)
            elif word:
                self.hear(f"You cannot {word!r} here. Try help.")

    def leave(self):
        del self.world.players[self.name.lower()]
        self.world.remember(self)
        self.room.beings.remove(self)
        self.room.tell(f"{self.name} has gone.")
        self.room = None  # which ends a fight
        for _ in range(100):  # a last word may have to be written yet, but not to somebody who does not read
            if self.bell.balance < 0 or not self.writer.alive:
                break
            time.sleep(0.01)
        self.writer.kill()

    @command("look", "l")
    def look(self, rest=""):
        """look: where you are, and who is there"""
        self.hear(f"[{self.room.name}] {self.room.text}")
        self.hear(f"Exits: {' '.join(sorted(self.room.exits))}")
        others = [being.name for being in self.room.beings if being is not self]
        self.hear(f"Here: {' '.join(sorted(others)) or 'nobody'}")

    @command("go")
    def go(self, direction):
        """go DIRECTION: or just the direction"""
        target = self.room.exits.get(direction)
        if target is None:
            self.hear("There is no way.")
            return
        self.room.tell(f"{self.name} goes {direction}.", self)
        self.enter(self.world.rooms[target])
        self.room.tell(f"{self.name} arrives.", self)
        self.look()

    @command("say", "'")
    def say(self, text):
        """say TEXT: to all in the room"""
        self.room.tell(f"{self.name} says: {text}")

    @command("shout")
    def shout(self, text):
        """shout TEXT: to all in the game"""
        for player in list(self.world.players.values()):
            player.hear(f"{self.name} shouts: {text}")

    @command("tell")
    def tell(self, rest):
        """tell NAME TEXT: to one player, wherever"""
        name, _, text = rest.partition(" ")
        player = self.world.players.get(name.lower())
        if player is None:
            self.hear(f"There is no {name}.")
        else:
            player.hear(f"{self.name} tells you: {text}")

    @command("who")
    def who(self, rest):
        """who: plays"""
        self.hear(f"Players: {' '.join(sorted(player.name for player in self.world.players.values()))}")

    @command("kill", "attack")
    def kill(self, name):
        """kill NAME: attack somebody here"""
        other = self.room.find(name)
        if other is None or other is self:
            self.hear(f"There is no {name} here.")
        else:
            self.room.tell(f"{self.name} attacks {other.name}!")
            self.attack(other)

    @command("score")
    def tell_score(self, rest):
        """score: how you are"""
        self.hear(f"Health {self.health}, score {self.score}.")

    @command("help")
    def help(self, rest):
        """help: this"""
        for line in sorted({method.__doc__ for method in COMMANDS.values()}):
            self.hear(line)
        self.hear("quit: leave the game")

    def won(self, other):
        self.score += other.full
        self.health = min(self.full, self.health + 5)

    def beaten(self):
        self.health = self.full // 2
        self.hear("Everything goes dark. You wake up at the square.")
        self.enter(self.world.rooms["square"])


class World:
    def __init__(self, path, tick):
        self.rooms = {name: Room(name, text, exits) for name, (text, exits) in MAP.items()}
        self.players = {}
        self.path = path
        self.tick = tick
        self.saved = {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.saved = json.load(file)
        for name, room, health in MONSTERS:
            Monster(self, name, room, health)

    def remember(self, player):
        state = {"room": player.room.name, "score": player.score, "health": player.health}
        self.saved[player.name.lower()] = state

    def save(self):
        """Write the game to a new file, and put that in the old one's place: it is there in whole, or not at all."""
        for player in list(self.players.values()):
            self.remember(player)
        text = json.dumps(self.saved, indent=1)
        with open(f"{self.path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{self.path}.new", self.path)

    def save_often(self, seconds):
        while True:
            time.sleep(seconds)
            self.save()

    def accept(self, listener):
        while True:
            connection, _ = listener.accept()
            stackless.tasklet(self.welcome)(connection)

    def welcome(self, connection):
        with connection, connection.makefile("r", encoding="utf-8", errors="replace", newline="\n") as lines:
            try:
                connection.sendall(b"Who are you?\r\n")
                name = read(lines)
                while name is not None and (
                    not name.isalpha() or len(name) > 20 or name.lower() in self.players
                ):
                    connection.sendall(b"Another name, of letters only?\r\n")
                    name = read(lines)
                if name is None:
                    return
                player = Player(self, connection, name.capitalize(), self.saved.get(name.lower(), {}))
                try:
                    player.play(lines)
                finally:
                    player.leave()
            except (OSError, ValueError):
                pass  # the connection is gone


def read(lines):
    """A line from a player, without what cannot be printed; None at the end."""
    line = lines.readline(LINE)
    if not line:
        return None
    return "".join(character for character in line if character.isprintable()).strip()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4000, help="0: any (default: %(default)s)")
    parser.add_argument("--save", metavar="FILE", help="where the game is kept (default: nowhere)")
    parser.add_argument(
        "--every", type=float, default=10.0, help="seconds between two saves (default: %(default)s)"
    )
    parser.add_argument(
        "--tick", type=float, default=1.0, help="seconds between two blows (default: %(default)s)"
    )
    given = parser.parse_args()
    with socket.create_server((given.host, given.port), backlog=1000) as listener:
        print("mud: listening on {} port {}".format(*listener.getsockname()), flush=True)
        world = World(given.save, given.tick)
        stackless.tasklet(world.accept)(listener)
        if given.save:
            stackless.tasklet(world.save_often)(given.every)
        try:
            stackless.run()
        except KeyboardInterrupt:
            if given.save:
                world.save()
            print(f"mud: closed with {len(world.players)} players")


if __name__ == "__main__":
    main()

"""Random programs: imports, shadowed names, scopes, and calls of what has a counterpart, in most of Python's forms.

Each is made from a seed, so it can be made again. Functions begin with ``tick()``, which ends a program that runs away.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

NAMES = ("open", "print", "input", "time", "os", "http", "x", "y", "f", "C")
MODULES = (
    *(
        "time",
        "os",
        "os.path",
        "socket",
        "http",
        "http.client",
        "http.cookies",
        "urllib.request",
        "json",
        "a.b",
    ),
    *("concurrent.futures.thread", "email.mime.text", "sys", "importlib"),
)
METHODS = ("open", "read_text", "save", "x", "close")
_DEPTH = 4


class Grammar:
    """Makes one program.  *indent* is that of the line being written."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._depth = 0
        self._inside: list[str] = []  # the kinds of scope around, innermost last
        self._loops = 0

    def program(self) -> str:
        """The text of a module."""
        pick = self._random.random()
        lines = ['"""Doc."""'] * (pick < 0.2) + ["from __future__ import annotations"] * (pick > 0.9)
        lines.append("x = y = 1")
        for _ in range(self._random.randint(1, 7)):
            lines += self._statement()
        text = "\n".join(lines)
        if pick < 0.1:
            text = text.replace("\n", "\r\n")
        return text + "\n" * self._random.randint(0, 1)

    # Parts.

    def _one(self, *makers: Callable[[], str]) -> str:
        return self._random.choice(makers)()

    def _maybe(self, chance: float, text: str, other: str = "") -> str:
        return text if self._random.random() < chance else other

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _line_break(self) -> str:
        return self._random.choice(("", "", "", " ", "\n  ", " # é\n"))

    # Expressions.

    def _expression(self) -> str:
        self._depth += 1
        try:
            if self._depth > _DEPTH or self._random.random() < 0.2:
                return self._random.choice((*NAMES, "1", "'é'", "None", "[]", "b'x'", "..."))
            return self._one(
                self._call, self._call, self._call, self._method, self._method, self._attribute, self._comprehension,
                self._lambda, self._formatted, self._walrus, self._operation, self._display, self._conditional,
                self._subscript, self._waiting, self._dynamic,
            )  # fmt: skip
        finally:
            self._depth -= 1

    def _arguments(self) -> str:
        made = [self._expression() for _ in range(self._random.randint(0, 2))]
        if self._random.random() < 0.2:
            made.append(f"*[{self._expression()}]")
        if self._random.random() < 0.3:
            made.append(f"{self._name()}={self._expression()}")
        if self._random.random() < 0.1:
            made.append("**{'z': 1}")
        gap = self._line_break()
        return gap + f",{self._line_break()} ".join(made) + gap

    def _call(self) -> str:
        if self._random.random() < 0.1:
            return f"{self._name()}({self._expression()} for {self._name()} in [1, 2])"
        function = self._random.choice((*NAMES, "open", "open", "print", "json.dumps", "(lambda *a, **k: a)"))
        return f"{function}{self._maybe(0.1, ' ')}({self._arguments()})"

    def _method(self) -> str:
        value = self._expression()
        # Of an imported name CPython compiles another kind of call, which shows where it runs over several lines.
        gap = "" if value.strip("()").isidentifier() else self._line_break()
        return f"({value}{gap}).{self._random.choice(METHODS)}({self._arguments()})"

    def _attribute(self) -> str:
        return f"{self._name()}.{self._random.choice((*METHODS, 'client', 'path'))}"

    def _comprehension(self) -> str:
        clause = f"for {self._name()} in {self._random.choice(('[1, 2]', self._expression()))}"
        if self._random.random() < 0.3:
            clause += f" if {self._expression()}"
        if self._random.random() < 0.2:
            clause += f" for {self._name()} in [{self._expression()}]"
        value = self._expression()
        return self._random.choice((
            f"[{value} {clause}]", f"list({value} {clause})", f"{{0: {value} {clause}}}", f"len([{value} {clause}])",
        ))  # fmt: skip

    def _lambda(self) -> str:
        name = self._name()
        made = (
            f"(lambda {name}={self._expression()}, *{self._maybe(0.5, 'a', 'open_')}: {self._expression()})"
        )
        return made + self._maybe(0.7, f"({self._maybe(0.5, self._expression())})")

    def _formatted(self) -> str:
        value = self._random.choice((self._name(), "open(1)", "x.open()", "print", "[open for open in [1]]"))
        form = self._random.choice(("", "!r", ":>{1}", "=", "!s:{len('ab')}"))
        before = self._random.choice(("", "é ", "{{}} "))
        return f"f'{before}{{{value.replace(chr(39), chr(34))}{form.replace(chr(39), chr(34))}}}'"

    def _walrus(self) -> str:
        return f"({self._name()} := {self._expression()})"

    def _operation(self) -> str:
        sign = self._random.choice(("+", "and", "or", "==", "is not", "in", "%", "not in"))
        return f"({self._expression()}{self._line_break()} {sign} {self._expression()})"

    def _display(self) -> str:
        one, two = self._expression(), self._expression()
        return self._random.choice(
            (f"[{one}, {two}]", f"({one}, *[{two}])", f"{{'a': {one}, **{{'b': {two}}}}}")
        )

    def _conditional(self) -> str:
        return f"({self._expression()} if {self._expression()} else {self._expression()})"

    def _subscript(self) -> str:
        return f"{self._expression()}[{self._random.choice(('0', '-1', ':', self._expression()))}]"

    def _waiting(self) -> str:
        kind = self._inside[-1] if self._inside else ""
        if kind == "async":
            return f"(await {self._expression()})"
        return f"(yield {self._expression()})" if kind == "def" else self._expression()

    def _dynamic(self) -> str:
        module = self._random.choice(MODULES)
        return self._random.choice(
            (f"__import__('{module}')", f"importlib.import_module('{module}')", "__import__")
        )

    # Statements.

    def _statement(self) -> list[str]:
        self._depth += 1
        try:
            simple = (self._import, self._import, self._assignment, self._evaluation, self._small)
            compound = (
                self._if, self._for, self._try, self._with, self._function, self._function, self._class, self._match,
                self._while,
            )  # fmt: skip
            if self._depth > _DEPTH or self._random.random() < 0.6:
                text = self._one(*simple)
                if self._random.random() < 0.15:
                    text += f"{self._random.choice(('; ', ';', ' ;  '))}{self._one(*simple)}"
                if "\n" not in text:
                    text += self._random.choice(("", "", "", "  # é", "  # rewriter: skip", ";"))
                return text.split("\n")
            return self._random.choice(compound)()
        finally:
            self._depth -= 1

    def _block(self, head: str, kind: str = "") -> list[str]:
        if kind:
            self._inside.append(kind)
        try:
            if self._random.random() < 0.1 and not kind:
                one = self._one(self._import, self._assignment, self._evaluation)
                if "\n" not in one:
                    return [f"{head} {one}"]
            body = ["tick()"] if kind in ("def", "async") else []
            for _ in range(self._random.randint(1, 3)):
                body += self._statement()
            gap = self._random.choice(("  ", "\t"))
            return [*head.split("\n"), *(gap + line for line in body)]
        finally:
            if kind:
                self._inside.pop()

    def _import(self) -> str:
        pick = self._random.random()
        gap = self._random.choice((" ", "  ", "\t", " \\\n "))
        if pick < 0.55:
            clauses = []
            for _ in range(self._random.randint(1, 3)):
                clauses.append(self._random.choice(MODULES) + self._maybe(0.3, f" as {self._name()}"))
            return f"import{gap}{self._random.choice((', ', ',', ' ,')).join(clauses)}"
        if pick < 0.65 and not self._inside:
            return f"from {self._random.choice(('time', 'brings', 'os', '.', 'nothing'))} import *"
        names = ", ".join(
            self._random.choice(("open", "path", "client", "a")) + self._maybe(0.3, f" as {self._name()}")
            for _ in range(self._random.randint(1, 3))
        )
        dots = self._maybe(0.1, ".")
        module = self._random.choice(MODULES)
        return f"from{gap}{dots}{module} import{gap}{self._maybe(0.5, f'({names},)', names)}"

    def _assignment(self) -> str:
        name, value = self._name(), self._expression()
        return self._random.choice((
            f"{name} = {value}", f"{name}: {self._name()} = {value}", f"{name}, *y = [{value}, 1]",
            f"{name} = y = {value}", f"{name} += {value}", f"x.y = {value}", f"x[0] = {value}",
            f"{name}: {self._name()}",
        ))  # fmt: skip

    def _evaluation(self) -> str:
        return self._expression()

    def _small(self) -> str:
        options = [
            f"del {self._name()}",
            "pass",
            f"assert {self._expression()}",
            f"raise ValueError({self._name()})",
        ]
        if self._inside and self._inside[-1] != "class":
            options += [f"global {self._name()}", f"nonlocal {self._name()}", f"return {self._expression()}"]
        if sys.version_info >= (3, 12):
            options.append(f"type T = {self._name()}")
        if self._loops:
            options += ["break", "continue"]
        return self._random.choice(options)

    def _if(self) -> list[str]:
        made = self._block(f"if {self._expression()}:")
        return made + (self._block("else:") if self._random.random() < 0.4 else [])

    def _for(self) -> list[str]:
        kind = "async for" if self._inside[-1:] == ["async"] and self._random.random() < 0.4 else "for"
        self._loops += 1
        try:
            return self._block(
                f"{kind} {self._name()} in {self._random.choice(('[1, 2]', self._expression()))}:"
            )
        finally:
            self._loops -= 1

    def _while(self) -> list[str]:
        self._loops += 1
        try:
            return [*self._block(f"while tick() or {self._expression()}:"), "else: pass"]
        finally:
            self._loops -= 1

    def _try(self) -> list[str]:
        star = self._maybe(0.2, "*")
        made = self._block("try:") + self._block(f"except{star} Exception as {self._name()}:")
        return made + (self._block("finally:") if self._random.random() < 0.3 else [])

    def _with(self) -> list[str]:
        kind = "async with" if self._inside[-1:] == ["async"] and self._random.random() < 0.4 else "with"
        return self._block(f"{kind} {self._expression()} as {self._name()}:")

    def _function(self) -> list[str]:
        kind = self._random.choice(("def", "def", "async"))
        name = self._name()
        head = f"@tick_around\n@{self._expression()}\n" if self._random.random() < 0.1 else ""
        generic = self._maybe(0.2, f"[{self._name()}]") if sys.version_info >= (3, 12) else ""
        second = f"*, k={self._expression()}" if self._random.random() < 0.3 else "*a"
        parameters = f"{self._name()}: {self._name()}={self._expression()}, {second}"
        word = "async def" if kind == "async" else "def"
        loops, self._loops = self._loops, 0
        try:
            made = self._block(
                f"{head}{word} {name}{generic}({parameters}){self._maybe(0.2, ' -> open')}:", kind
            )
        finally:
            self._loops = loops
        return [*made, f"drive({name})"] if self._random.random() < 0.8 else made

    def _class(self) -> list[str]:
        generic = self._maybe(0.2, f"[{self._name()}]") if sys.version_info >= (3, 12) else ""
        loops, self._loops = self._loops, 0
        try:
            return self._block(f"class {self._name()}{generic}{self._maybe(0.3, '(object)')}:", "class")
        finally:
            self._loops = loops

    def _match(self) -> list[str]:
        pattern = self._random.choice((
            self._name(), f"[{self._name()}, *{self._name()}_]", f"{{'a': {self._name()}, **rest}}",
            f"str() as {self._name()}", "http.client", "1 | 2",
        ))  # fmt: skip
        cases = self._block(f"case {pattern} if {self._expression()}:") + self._block("case _:")
        return [f"match {self._expression()}:", *(f" {line}" for line in cases)]

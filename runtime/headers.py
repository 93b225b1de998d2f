"""What HTTP takes from the modules for e-mail: the parser of a header, and the date.

They are half of what the standard library's server does for a small page.  A header is taken apart by one regular
expression where it is as simple as it nearly always is; what is not a plain ``name: value`` on each line, or might have
parts, still goes to the parser of e-mail.  The date is written once in a second.
"""

from __future__ import annotations

import http.client
import re

from runtime.disguise import disguise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

# Possessive, since a line of blanks would else be gone through once for each of them.
_FIELD = re.compile(r"^([!-9;-~]++):[ \t]*+([^\r\n]*+)\r\n", re.MULTILINE)
_FAR = 1e11  # seconds: the year 5138


def simple(lines: list[bytes], kind: Any) -> Any:
    """The message of class *kind* that the parser of e-mail makes of *lines*; None where that must be asked.

    Args:
        lines: as they were received, to the empty one that ends them.
        kind: a class that adds to ``email.message.Message`` no more than `http.client.HTTPMessage` does.
    """
    if lines[-1] != b"\r\n":
        return None
    text = b"".join(lines).decode("iso-8859-1")
    lowered = text.lower()
    if "multipart" in lowered or "message" in lowered:
        return None
    fields = _FIELD.findall(text)
    if len(fields) != len(lines) - 1:
        return None
    message = kind()
    message._headers = fields
    message._payload = ""
    return message


def shorten(namespace: dict[str, Any], original: ModuleType) -> None:
    """Have ``parse_headers`` of the twin of `http.client`, whose *namespace* this is, try `simple` first."""
    parser = namespace["email"].parser
    usual = parser.Parser
    mine, plain = namespace["HTTPMessage"], http.client.HTTPMessage

    def parse_headers(fp: Any, _class: Any = mine) -> Any:
        lines = namespace["_read_headers"](fp)
        if (_class is mine or _class is plain) and parser.Parser is usual:
            message = simple(lines, _class)
            if message is not None:
                return message
        return parser.Parser(_class=_class).parsestr(b"".join(lines).decode("iso-8859-1"))

    disguise(parse_headers, namespace["parse_headers"])
    namespace["parse_headers"] = parse_headers


def remember_date(namespace: dict[str, Any], original: ModuleType) -> None:
    """Have ``formatdate`` of the twin of `email.utils`, whose *namespace* this is, keep what it last wrote for HTTP."""
    usual = namespace["formatdate"]
    last = -1, ""

    def formatdate(timeval: Any = None, localtime: Any = False, usegmt: Any = False) -> Any:
        nonlocal last
        if usegmt and not localtime and type(timeval) is float and 0.0 <= timeval < _FAR:
            second = int(timeval)
            if timeval - second < 0.999:  # what comes after is rounded, perhaps to the next second
                known = last
                if known[0] != second:
                    known = last = second, usual(float(second), False, True)
                return known[1]
        return usual(timeval, localtime, usegmt)

    disguise(formatdate, usual)
    namespace["formatdate"] = formatdate

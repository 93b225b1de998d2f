"""The header of an HTTP message taken apart at once: as the parser of e-mail would, in every respect."""

from __future__ import annotations

import email.parser
import email.utils
import http.client
import io
from typing import Any

import pytest
import runtime.green.email.utils as green_utils
import runtime.green.http.client as green
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.headers import simple

_LINES = st.one_of(
    st.tuples(
        st.sampled_from(
            ["Host", "Content-Type", "content-type", "X", "Cookie", "From", "From x", "a b", "", "\x7f", "é"]
        ),
        st.sampled_from([":", ": ", ":\t ", " :", "", "::"]),
        st.text(st.sampled_from("ab/;=\"' \t:\x0b\x0c\x1c\x85\xa0\x00é"), max_size=12)
        | st.sampled_from(
            ["text/html; charset=utf-8", "multipart/mixed; boundary=x", "message/rfc822", "Message/x", ""]
        ),
        st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r\r\n"]),
    ).map("".join),
    st.sampled_from(
        [" folded\r\n", "\tfolded\r\n", "no colon\r\n", "\x0b\r\n", "--x\r\n", "--x--\r\n", "a: b\rc: d\r\n"]
    ),
)


def _state(message: Any) -> dict[str, Any]:
    known = dict(vars(message))
    known["defects"] = [repr(defect) for defect in known["defects"]]
    payload = known["_payload"]
    if isinstance(payload, list):
        known["_payload"] = [_state(part) for part in payload]
    return known


@settings(max_examples=400, deadline=None)
@given(lines=st.lists(_LINES, max_size=6), end=st.sampled_from(["\r\n", "\r\n", "\n", ""]))
def test_it_is_what_the_parser_of_email_makes(lines: list[str], end: str) -> None:
    block = ("".join(lines) + end).encode("iso-8859-1")
    plain = http.client.parse_headers(io.BytesIO(block))
    mine = green.parse_headers(io.BytesIO(block))
    assert type(mine) is green.HTTPMessage
    assert _state(mine) == _state(plain)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("filling", [b"c", b" "])
@pytest.mark.parametrize("length", [10, 8180, 8192, 60000])
def test_a_long_line_is_like_a_short_one(length: int, filling: bytes, end: bytes) -> None:
    block = b"Host: a\r\nCookie:" + filling * length + end + b"\r\n"
    assert _state(green.parse_headers(io.BytesIO(block))) == _state(
        http.client.parse_headers(io.BytesIO(block))
    )


def test_what_clients_and_servers_send_takes_the_short_way() -> None:
    lines = [
        b"Host: 127.0.0.1:80\r\n",
        b"Accept: */*\r\n",
        b"Content-Type: text/html; charset=utf-8\r\n",
        b"\r\n",
    ]
    message = simple(lines, green.HTTPMessage)
    assert message.items() == [
        ("Host", "127.0.0.1:80"),
        ("Accept", "*/*"),
        ("Content-Type", "text/html; charset=utf-8"),
    ]
    assert message.get_content_charset() == "utf-8"
    assert simple([b"X: a\r\n", b" b\r\n", b"\r\n"], green.HTTPMessage) is None
    assert simple([b"Content-Type: multipart/mixed\r\n", b"\r\n"], green.HTTPMessage) is None


def test_the_limits_and_the_class_are_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(green.HTTPMessage):
        def set_raw(self, name: str, value: str) -> None:
            super().set_raw(name.upper(), value)

    block = b"host: a\r\nb: c\r\n\r\n"
    assert green.parse_headers(io.BytesIO(block), _class=Own).keys() == ["HOST", "B"]
    monkeypatch.setattr(green, "_MAXHEADERS", 1)
    with pytest.raises(http.client.HTTPException, match="more than 1 headers"):
        green.parse_headers(io.BytesIO(block))
    monkeypatch.undo()

    class Parser(email.parser.Parser):
        def parsestr(self, *args: Any, **kwargs: Any) -> Any:
            return "parsed"

    monkeypatch.setattr(green.email.parser, "Parser", Parser)
    assert green.parse_headers(io.BytesIO(block)) == "parsed"


@given(
    st.floats(-1e10, 1e12) | st.integers(0, 2**32).map(float),
    st.sampled_from([0.0, 0.4, 0.998, 0.999999, 0.9999996]),
)
def test_a_date_is_what_it_always_was(second: float, part: float) -> None:
    def told(module: Any, when: float) -> Any:
        try:
            return module.formatdate(when, usegmt=True)
        except (ValueError, OverflowError, OSError) as error:
            return type(error)

    for when in (second + part, second + part, second):
        assert told(green_utils, when) == told(email.utils, when)


def test_other_dates_are_made_as_ever() -> None:
    assert green_utils.formatdate(0.0) == email.utils.formatdate(0.0) == "Thu, 01 Jan 1970 00:00:00 -0000"
    assert green_utils.formatdate(0, usegmt=True) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert green_utils.formatdate(0.0, True, True) == email.utils.formatdate(0.0, True, True)
    assert green_utils.formatdate(usegmt=True).endswith("GMT")

"""HTTP/1.1 messages as they stood on the wire. The reader is strict, so that a bad message fails the test that saw it."""

import json
import re
from dataclasses import dataclass, field

from .wire import Closed

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class CutShort(Closed):
    """A message whose head came but whose body ended early; `message` has what there was."""

    def __init__(self, message):
        super().__init__("the body was cut short", message.body)
        self.message = message


@dataclass
class Message:
    raw_head: bytes
    fields: list  # (name, value) pairs in order
    body: bytes = b""
    trailers: list = field(default_factory=list)

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name):
        """The one value of a field, or None; fails if it stands there twice."""
        found = self.values(name)
        assert len(found) <= 1, f"{name} came {len(found)} times: {found}"
        return found[0] if found else None

    @property
    def names(self):
        return {name.lower() for name, _ in self.fields}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_chunked(self):
        return self.value("transfer-encoding") == "chunked"


@dataclass
class Request(Message):
    method: str = ""
    target: str = ""
    version: str = ""


@dataclass
class Response(Message):
    version: str = ""
    status: int = 0
    phrase: str = ""


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        assert colon and TOKEN.match(name), f"bad field line {line!r}"
        assert not re.search(rb"[\r\n\0]", value), f"control in field line {line!r}"
        fields.append((name.decode("ascii"), value.strip(b" \t").decode("latin-1")))
    return fields


def read_head(wire):
    """(raw head, start line, fields)."""
    raw = wire.until(b"\r\n\r\n")
    lines = raw[:-4].split(b"\r\n")
    return raw, lines[0].decode("latin-1"), parse_fields(lines[1:])


def read_request_head(wire):
    raw, start, fields = read_head(wire)
    method, target, version = start.split(" ")
    assert version in ("HTTP/1.1", "HTTP/1.0"), start
    return Request(raw, fields, method=method, target=target, version=version)


def read_response_head(wire):
    raw, start, fields = read_head(wire)
    match = re.fullmatch(r"(HTTP/1\.[01]) ([1-5][0-9][0-9]) (.*)", start)
    assert match, f"bad status line {start!r}"
    return Response(raw, fields, version=match[1], status=int(match[2]), phrase=match[3])


def read_chunk(wire):
    """One chunk's data; b"" for the last one, whose trailers stay to be read."""
    line = wire.line()
    size = re.fullmatch(rb"([0-9A-Fa-f]+)(;.*)?", line)
    assert size, f"bad chunk size line {line!r}"
    length = int(size[1], 16)
    data = wire.exactly(length)
    if length:
        assert wire.exactly(2) == b"\r\n", "a chunk without its CRLF"
    return data


def read_trailers(wire):
    lines = []
    while line := wire.line():
        lines.append(line)
    return parse_fields(lines)


def read_body(wire, message, ends_at_close=False):
    """Reads the body that the head announces into `message`."""
    length = message.value("content-length")
    assert not (length and message.value("transfer-encoding")), "both Content-Length and Transfer-Encoding"
    try:
        if message.is_chunked:
            while data := read_chunk(wire):
                message.body += data
            message.trailers = read_trailers(wire)
        elif length is not None:
            message.body = wire.exactly(int(length))
        elif ends_at_close:
            message.body = wire.to_end()
    except Closed as closed:
        if not message.is_chunked:
            message.body = closed.partial
        raise CutShort(message) from None
    return message


def has_body(response, method):
    return method != "HEAD" and response.status >= 200 and response.status not in (204, 304)


def head_bytes(start, fields):
    """`fields` is a dict or a list of pairs."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    return "".join([start, "\r\n", *(f"{name}: {value}\r\n" for name, value in pairs), "\r\n"]).encode("latin-1")


def chunked(*pieces, trailers=()):
    """A whole chunked body."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return body + b"0\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in trailers) + b"\r\n"

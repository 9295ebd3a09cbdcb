"""A client that speaks HTTP/2 frame by frame: it sends what a test likes, right or wrong, and keeps what it hears."""

import select
import struct
from collections import defaultdict
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

from .client import Client
from .message import Response
from .wire import Closed

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
(
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
) = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(pairs):
    return b"".join(struct.pack(">HI", key, value) for key, value in pairs.items())


def number(value):
    return struct.pack(">I", value)


@dataclass
class Stream:
    """What was heard of one stream."""

    interim: list = field(default_factory=list)  # of field lists
    fields: list = None
    body: bytearray = field(default_factory=bytearray)
    trailers: list = None
    has_ended: bool = False
    reset: int = None  # the error code

    @property
    def is_over(self):
        return self.has_ended or self.reset is not None


class H2Client(Client):
    """Acknowledges settings and opens windows by itself, unless told not to."""

    def __init__(self, address, own_settings=None, opens_windows=True, begins=True, **options):
        super().__init__(address, **options)
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.opens_windows = opens_windows
        self.streams = defaultdict(Stream)
        self.settings = None  # of the server
        self.settings_acked = 0
        self.pongs = []
        self.windows = defaultdict(int)  # what WINDOW_UPDATE has added, by stream
        self.goaways = []  # (last stream, error code)
        self.next_stream = 1
        self._block = b""  # of the head under way, and whether it is all
        self._ends = 0
        if begins:
            self.begin(own_settings or {})

    def begin(self, own_settings):
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings(own_settings)))

    # ---- saying

    def block(self, method="GET", path="/", fields=(), authority="a", scheme="http"):
        pairs = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
        return self.encoder.encode(pairs + [(name, str(value)) for name, value in dict(fields).items()])

    def open(self, target="/", method="GET", fields=(), ends=True, **pseudo):
        """Sends a request's head; its stream's number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        flags = END_HEADERS | (END_STREAM if ends else 0)
        self.send(frame(HEADERS, flags, stream, self.block(method, target, fields, **pseudo)))
        return stream

    def open_raw(self, pairs, ends=True):
        """The same with just these pairs."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, self.encoder.encode(pairs)))
        return stream

    def data(self, stream, payload, ends=False):
        self.send(frame(DATA, END_STREAM if ends else 0, stream, payload))

    def reset_stream(self, stream, error=CANCEL):
        self.send(frame(RST_STREAM, 0, stream, number(error)))

    def open_window(self, stream, more):
        self.send(frame(WINDOW_UPDATE, 0, stream, number(more)))

    # ---- hearing

    def hear(self):
        """Takes one frame: (kind, flags, stream, payload)."""
        head = self.exactly(9)
        kind, flags = head[3], head[4]
        stream = struct.unpack(">I", head[5:])[0]
        payload = self.exactly(int.from_bytes(head[:3], "big"))
        self.take_in(kind, flags, stream, payload)
        return kind, flags, stream, payload

    def take_in(self, kind, flags, stream, payload):
        if kind == SETTINGS and flags & ACK:
            self.settings_acked += 1
        elif kind == SETTINGS:
            self.settings = dict(struct.iter_unpack(">HI", payload))
            self.send_if_possible(frame(SETTINGS, ACK))
        elif kind in (HEADERS, CONTINUATION):
            self._block = payload if kind == HEADERS else self._block + payload
            self._ends = flags & END_STREAM if kind == HEADERS else self._ends
            if flags & END_HEADERS:
                self.take_head(self.streams[stream], self._ends, self.decoder.decode(self._block))
        elif kind == DATA:
            self.take_data(stream, flags, payload)
        elif kind == RST_STREAM:
            self.streams[stream].reset = struct.unpack(">I", payload)[0]
        elif kind == GOAWAY:
            self.goaways.append(struct.unpack(">II", payload[:8]))
        elif kind == WINDOW_UPDATE:
            self.windows[stream] += struct.unpack(">I", payload)[0]
        elif kind == PING and flags & ACK:
            self.pongs.append(payload)
        elif kind == PING:
            self.send_if_possible(frame(PING, ACK, 0, payload))

    def take_head(self, stream, is_end, pairs):
        status = dict(pairs).get(":status")
        if status is None:
            stream.trailers = pairs
        elif status.startswith("1"):
            stream.interim.append(pairs)
        else:
            assert stream.fields is None
            stream.fields = pairs
        stream.has_ended = stream.has_ended or bool(is_end)

    def take_data(self, number_, flags, payload):
        stream = self.streams[number_]
        assert not stream.is_over, "DATA on a stream that is over"
        stream.body += payload
        stream.has_ended = bool(flags & END_STREAM)
        if self.opens_windows and payload:
            self.open_window(0, len(payload))
            if not stream.has_ended:
                self.open_window(number_, len(payload))

    def hear_until(self, condition):
        while not condition():
            self.hear()

    def answer(self, stream):
        """The whole answer as a Response; a stream that was reset instead fails."""
        heard = self.streams[stream]
        self.hear_until(lambda: heard.is_over)
        assert heard.has_ended, f"reset with {heard.reset}, after {heard.fields} and {bytes(heard.body[:100])}"
        return self.as_response(heard)

    def head(self, stream):
        heard = self.streams[stream]
        self.hear_until(lambda: heard.fields or heard.is_over)
        return self.as_response(heard)

    @staticmethod
    def as_response(heard):
        fields = [(name, value) for name, value in heard.fields if name != ":status"]
        return Response(
            b"", fields, bytes(heard.body), heard.trailers or [], "HTTP/2", int(dict(heard.fields)[":status"]), ""
        )

    def fetch(self, target="/", method="GET", fields=(), body=None, **pseudo):
        stream = self.open(target, method, fields, ends=body is None, **pseudo)
        if body is not None:
            self.data(stream, body, ends=True)
        return self.answer(stream)

    def error_of(self, stream):
        """Waits until it is reset; the error code."""
        self.hear_until(lambda: self.streams[stream].is_over)
        return self.streams[stream].reset

    def goodbye(self):
        """Hears the server out, until it closes: the last GOAWAY."""
        try:
            while True:
                self.hear()
        except Closed:
            pass
        return self.goaways[-1] if self.goaways else None

    def soak(self, within=0):
        """Takes what is there, without looking at it. False at the end."""
        while select.select([self.sock], [], [], within)[0]:
            if not self.fill():
                return False
            within = 0
        return True

    def sync(self):
        """All that was sent before has been dealt with."""
        heard = len(self.pongs)
        self.send(frame(PING, 0, 0, b"sync all"))
        self.hear_until(lambda: len(self.pongs) > heard or self.goaways)

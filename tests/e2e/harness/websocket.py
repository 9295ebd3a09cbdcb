"""Just enough of RFC 6455 to talk to a WebSocket server over a raw connection."""

import base64
import hashlib
import os
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake(client, target="/", behind=b""):
    """Sends the handshake with `behind` in the same segment; the response, checked if it is a 101."""
    key = base64.b64encode(os.urandom(16))
    client.send(
        b"GET %s HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: %s\r\n\r\n%s" % (target.encode(), key, behind)
    )
    response = client.response()
    if response.status == 101:
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()
        assert response.value("sec-websocket-accept") == accept
        assert response.value("upgrade").lower() == "websocket"
        assert response.value("connection").lower() == "upgrade"
    return response


def frame(payload, kind=TEXT):
    """A client's frame, masked."""
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 65536:
        size = b"\xfe" + struct.pack(">H", length)
    else:
        size = b"\xff" + struct.pack(">Q", length)
    mask = os.urandom(4)
    keys = (mask * (length // 4 + 1))[:length]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(length, "big")
    return bytes([0x80 | kind]) + size + mask + masked


def read_frame(client):
    """(kind, payload) of a server's frame; continuation is not understood."""
    first, second = client.exactly(2)
    assert first & 0x80 and not second & 0x80
    length = second & 0x7F
    if length == 126:
        length = struct.unpack(">H", client.exactly(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", client.exactly(8))[0]
    return first & 0x0F, client.exactly(length)

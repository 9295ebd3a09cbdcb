"""A socket and the bytes that came from it. Nothing here corrects what a peer sends: tests want to see it as it was."""

import select
import socket
import ssl
import struct
import time

PATIENCE = 15.0  # seconds before a read is given up: far above anything a sound run needs


class Closed(AssertionError):
    """The peer closed before what was expected had come; `partial` is what had."""

    def __init__(self, message, partial=b""):
        super().__init__(f"{message}; had {bytes(partial[:200])!r}")
        self.partial = bytes(partial)


class Wire:
    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()  # received, not yet consumed
        self.was_reset = False
        self.was_cut = False  # TLS: the peer ended without saying that this was all
        self.ended = False

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def send_slowly(self, data, size=1, pause=0.0):
        """In pieces of `size` bytes, each a segment of its own."""
        for start in range(0, len(data), size):
            self.sock.sendall(data[start : start + size])
            time.sleep(pause)

    def send_if_possible(self, data):
        """For data the peer may refuse to take. True where all of it went out."""
        try:
            self.send(data)
            return True
        except OSError:
            return False

    def fill(self):
        """Takes what one recv gives. False at the end of the stream."""
        try:
            piece = self.sock.recv(65536)
        except ConnectionResetError:
            self.was_reset = True
            piece = b""
        except ssl.SSLEOFError:
            self.was_cut = True
            piece = b""
        except socket.timeout:
            raise AssertionError(f"nothing came for {PATIENCE} s; had {bytes(self.buffer[:200])!r}") from None
        if not piece:
            self.ended = True
            return False
        self.note(piece)
        self.buffer += piece
        return True

    def note(self, piece):
        """Overridden by those who keep a record."""

    def take(self, count):
        piece = bytes(self.buffer[:count])
        del self.buffer[:count]
        return piece

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(f"closed before {count} bytes", self.buffer)
        return self.take(count)

    def until(self, mark):
        """Everything up to and with `mark`."""
        searched = 0
        while True:
            at = self.buffer.find(mark, searched)
            if at >= 0:
                return self.take(at + len(mark))
            searched = max(0, len(self.buffer) - len(mark) + 1)
            if not self.fill():
                raise Closed(f"closed before {mark!r}", self.buffer)

    def line(self):
        return self.until(b"\r\n")[:-2]

    def to_end(self):
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def drain_to_end(self):
        """Like to_end, for much data: counts it and throws it away."""
        count = len(self.buffer)
        self.buffer.clear()
        while self.fill():
            count += len(self.buffer)
            self.buffer.clear()
        return count

    def assert_closed(self):
        """The peer closes, and says nothing more before."""
        rest = self.to_end()
        assert rest == b"", f"expected the end, got {rest[:200]!r}"

    def is_readable(self, within):
        """True once there is something to read, the end included; False if nothing comes for so many seconds."""
        return bool(self.buffer or select.select([self.sock], [], [], within)[0])

    def assert_silent(self, seconds):
        """Neither a byte nor the end comes for so long."""
        assert not self.buffer, f"expected silence, got {bytes(self.buffer[:200])!r}"
        assert not self.is_readable(seconds), f"expected silence, got {self.sock.recv(200, socket.MSG_PEEK)!r}"

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Leaves with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

"""An app whose every byte is decided by the test: a script is a function that gets the connection and plays it out.

    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.reset()
"""

import json
import socket
import threading

from . import message
from .poll import eventually
from .wire import Closed, Wire


class Connection(Wire):
    """One connection the proxy opened. `received` is what came (the first MiB of it), `requests` those read whole."""

    def __init__(self, sock, number, all_requests):
        self._all_requests = all_requests
        self.received = bytearray()
        self.received_bytes = 0
        self.requests = []
        self.number = number  # from 0
        self.is_over = threading.Event()
        super().__init__(sock)

    def secure(self, tls):
        """From here on everything goes through TLS, `received` too."""
        self.sock = tls.wrap_socket(self.sock, server_side=True)

    def say_end(self):
        """TLS: says that this was all, and waits for the proxy to say so too; a bare close() cuts off instead."""
        self.sock.unwrap()

    def note(self, piece):
        self.received_bytes += len(piece)
        if len(self.received) < 1 << 20:
            self.received += piece

    def head(self):
        return message.read_request_head(self)

    def request(self):
        """Reads one whole request and records it. None when the proxy closed instead of sending one."""
        if not self.buffer and not self.fill():
            return None
        request = message.read_body(self, self.head())
        self.requests.append(request)
        self._all_requests.append(request)
        return request

    def answer(self, body=b"ok", status=200, fields=(), method="GET"):
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        pairs.append(("Content-Length", len(body)))
        head = message.head_bytes(f"HTTP/1.1 {status} Said So", pairs)
        self.send(head if method == "HEAD" else head + body)

    def wait_for_close(self):
        """Until the proxy closes; what it sends before is recorded."""
        while self.fill():
            self.buffer.clear()


class Upstream:
    """`script` is one function for every connection, or a list: the n-th for the n-th, the last for all that follow."""

    def __init__(self, script, path=None, host="127.0.0.1", port=0, receive_buffer=None, greeting=b"", tls=None):
        """`port` 0 is a free one; `greeting` is what it says on every connection as soon as it has accepted it; `tls` an
        ssl.SSLContext."""
        self.tls = tls
        self.scripts = script if isinstance(script, list) else [script]
        self.connections = []
        self.requests = []  # of all connections, in the order in which they were whole
        self.mistakes = []  # of the scripts themselves
        self.greeting = greeting
        self.released = threading.Event()  # set by release(), for scripts that hold back
        self._listener = self._listen(path, (host, port), receive_buffer)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _listen(self, path, address, receive_buffer):
        host = address[0]
        family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if not path:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(str(path) if path else address)
        listener.listen(512)
        self.port = None if path else listener.getsockname()[1]
        scheme = "https" if self.tls else "http"
        self.url = f"unix:{path}" if path else f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
        return listener

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.greeting:
                sock.sendall(self.greeting)
            connection = Connection(sock, len(self.connections), self.requests)
            self.connections.append(connection)
            thread = threading.Thread(target=self._play, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, connection):
        script = self.scripts[min(connection.number, len(self.scripts) - 1)]
        try:
            if self.tls:
                connection.secure(self.tls)
            script(connection)
        except (OSError, Closed):
            pass  # the proxy left first: the test looks at what it saw instead
        except Exception as mistake:  # noqa: BLE001 - reported at the end of the test
            self.mistakes.append(mistake)
        finally:
            connection.close()
            connection.is_over.set()

    @property
    def received(self):
        return b"".join(bytes(connection.received) for connection in self.connections)

    def wait_for_requests(self, count):
        eventually(lambda: len(self.requests) >= count, what=f"{count} requests at the app")
        return self.requests

    def wait_for_connections(self, count):
        eventually(lambda: len(self.connections) >= count, what=f"{count} connections at the app")
        return self.connections

    def release(self):
        self.released.set()

    def close(self):
        """Stops listening and drops every connection; fails if a script was wrong."""
        self.released.set()
        for sock in [self._listener, *(connection.sock for connection in self.connections)]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        if self.mistakes:
            raise self.mistakes[0]


def answering(body=b"ok", status=200, fields=()):
    """The script of a sound app: answers every request on the connection alike."""

    def script(connection):
        while request := connection.request():
            connection.answer(body, status, fields, request.method)
            if (request.value("connection") or "").lower() == "close":
                return

    return script


def reporting(connection):
    """The script of an app that answers with what it was asked, as JSON."""
    while request := connection.request():
        seen = {
            "connection": connection.number,
            "method": request.method,
            "target": request.target,
            "fields": request.fields,
            "body": request.body.decode("latin-1"),
            "trailers": request.trailers,
        }
        connection.answer(json.dumps(seen).encode(), method=request.method)


def replying(raw):
    """The script of an app that reads a request, says exactly `raw`, and waits for the proxy to close."""

    def script(connection):
        if connection.request():
            connection.send(raw)
            connection.wait_for_close()

    return script


class DeafListener:
    """Listens, but its queue is full: a connection attempt neither succeeds nor fails."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)

    def close(self):
        for sock in [*self._fillers, self._listener]:
            sock.close()

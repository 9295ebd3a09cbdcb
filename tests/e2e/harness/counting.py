"""An app that counts: how many connections it has, how many requests are inside it, and the most there were of both."""

import heapq
import random
import selectors
import socket
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class CountingApp:
    """One thread. `seconds` is how long a request takes, or a function that says so; of the answers a share of `closing`
    ends its connection. Requests have no body."""

    def __init__(self, seconds, closing=0.0, seed=1):
        self.most_connections = 0
        self.most_inside = 0
        self.served = 0
        self.accepted = 0
        self._seconds = seconds if callable(seconds) else lambda: seconds
        self._closing = closing
        self._random = random.Random(seed)
        self._open = {}  # socket: what came of a request that is not whole
        self._due = []  # (when, number, socket) of the requests inside
        self._is_over = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def connections(self):
        return len(self._open)

    def close(self):
        self._is_over = True
        self._thread.join(10)
        for sock in [self._listener, *self._open]:
            sock.close()

    def _run(self):
        while not self._is_over:
            wait = min(0.05, max(0.0, self._due[0][0] - time.monotonic())) if self._due else 0.05
            for key, _ in self._selector.select(wait):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._open:
                    self._read(key.fileobj)
            self._answer_due()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            # A connection whose end has come already is none any more, whenever that is read.
            for other in list(self._open):
                if self._has_ended(other):
                    self._drop(other)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[sock] = b""
            self._selector.register(sock, selectors.EVENT_READ)
            self.accepted += 1
            self.most_connections = max(self.most_connections, len(self._open))

    @staticmethod
    def _has_ended(sock):
        try:
            return sock.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _read(self, sock):
        try:
            piece = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            return self._drop(sock)
        self._open[sock] += piece
        if self._open[sock].endswith(b"\r\n\r\n"):
            self._open[sock] = b""
            heapq.heappush(self._due, (time.monotonic() + self._seconds(), self._random.random(), sock))
            self.most_inside = max(self.most_inside, len(self._due))

    def _answer_due(self):
        while self._due and self._due[0][0] <= time.monotonic():
            sock = heapq.heappop(self._due)[2]
            if sock not in self._open:
                continue
            is_last = self._random.random() < self._closing
            self.served += 1
            try:
                sock.sendall(LAST_ANSWER if is_last else ANSWER)
            except OSError:
                is_last = True
            if is_last:
                self._drop(sock)

    def _drop(self, sock):
        self._selector.unregister(sock)
        del self._open[sock]
        sock.close()

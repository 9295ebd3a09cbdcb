"""Clients in a closed loop, on bare sockets in one thread: a thousand of them take a fraction of one core."""

import asyncio
import random
import re
import socket
from dataclasses import dataclass

STAGGER_SECONDS = 0.3  # over which the clients arrive
PATIENCE_SECONDS = 30  # for one answer
PAUSE_AFTER_FAILURE_SECONDS = 0.5  # on average, before who was refused or failed asks again
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d", re.I)
CLOSES = re.compile(rb"\r\nconnection: *close", re.I)


@dataclass(frozen=True)
class Outcome:
    """Of one request; times in seconds since the load began."""

    group: str
    ending: str  # a status, or what happened instead: no connection, reset, timeout, malformed
    begun: float
    ended: float

    @property
    def seconds(self):
        return self.ended - self.begun


class Connection:
    """From `address` to the port on loopback, opened when it is needed and kept while the server keeps it."""

    def __init__(self, address, port):
        self._address, self._port = address, port
        self._loop = asyncio.get_running_loop()
        self._socket = None

    async def ask(self, group):
        """How the request ended."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._open()
                await self._send(group)
                return await self._receive()
        except TimeoutError:
            ending = "timeout"
        except ConnectionRefusedError:
            ending = "no connection"
        except OSError:
            ending = "reset"
        except ValueError:
            ending = "malformed"
        self.close()
        return ending

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket = None

    async def _open(self):
        if self._socket and self._was_closed():
            self.close()
        if self._socket:
            return
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.bind((self._address, 0))
        await self._loop.sock_connect(self._socket, ("127.0.0.1", self._port))

    def _was_closed(self):
        """By the server, while nothing was asked."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    async def _send(self, group):
        await self._loop.sock_sendall(self._socket, group.head)
        for piece in group.pieces:
            await asyncio.sleep(group.piece_pause)
            await self._loop.sock_sendall(self._socket, piece)

    async def _receive(self):
        head, _, body = (await self._read(lambda bytes_: b"\r\n\r\n" in bytes_, b"")).partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not head.startswith(b"HTTP/1.") or not length:
            raise ValueError(head)
        await self._read(lambda bytes_: len(bytes_) >= int(length[1]), body)
        if CLOSES.search(head):
            self.close()
        status = head[9:12].decode()
        return "503 without Retry-After" if status == "503" and not RETRY_AFTER.search(head) else status

    async def _read(self, is_enough, bytes_):
        while not is_enough(bytes_):
            more = await self._loop.sock_recv(self._socket, 65536)
            if not more:
                raise ConnectionResetError
            bytes_ += more
        return bytes_


async def play_client(group, index, port, seconds, outcomes):
    clock, chance = asyncio.get_running_loop().time, random.Random(index)
    start = clock()
    connection = Connection(group.address(index), port)
    await asyncio.sleep(STAGGER_SECONDS * chance.random())
    while (begun := clock() - start) < seconds:
        ending = await connection.ask(group)
        outcomes.append(Outcome(group.name, ending, begun, clock() - start))
        pause = group.pause + (0 if ending == "200" else PAUSE_AFTER_FAILURE_SECONDS)
        await asyncio.sleep(pause * chance.uniform(0.5, 1.5))
    connection.close()


async def play_groups(groups, port, seconds):
    outcomes = []
    async with asyncio.TaskGroup() as clients:
        for group in groups:
            for index in range(group.clients):
                clients.create_task(play_client(group, index, port, seconds, outcomes))
    return outcomes


def play(groups, port, seconds):
    """Every request that was begun within `seconds`, each waited for to its end."""
    return asyncio.run(play_groups(groups, port, seconds))

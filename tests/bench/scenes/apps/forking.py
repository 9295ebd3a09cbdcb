"""An app that starts a process for each request, as those do that call a converter, and nothing bounds how many.

python3 forking.py PORT PEAK_FILE: answers any GET over HTTP/1.1. Past MOST processes at once the machine has no more
to give and everything is lost, which a SIGKILL to the whole group stands for. PEAK_FILE holds the most so far.
"""

import asyncio
import os
import pathlib
import signal
import sys
import time

MOST = 50
WORK_SECONDS = 0.1
MEMORY_BYTES = 8 << 20
BACKLOG = 4096
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ndone\n"


def work():
    ends = time.monotonic() + WORK_SECONDS
    memory = b"\1" * MEMORY_BYTES  # written to, so that it is really taken
    time.sleep(max(0.0, ends - time.monotonic()))
    return memory


class Processes:
    def __init__(self, peak_path):
        self._peak_path = peak_path
        self._running = 0
        self._peak = 0

    async def run_one(self):
        self._running += 1
        if self._running > self._peak:
            self._peak = self._running
            self._peak_path.write_text(str(self._peak))
        if self._running > MOST:
            os.killpg(0, signal.SIGKILL)
        pid = os.fork()
        if pid == 0:
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            work()
            os._exit(0)
        await self._ended(pid)
        self._running -= 1

    async def _ended(self, pid):
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        watched = os.pidfd_open(pid)
        loop.add_reader(watched, ended.set)
        await ended.wait()
        loop.remove_reader(watched)
        os.close(watched)
        os.waitpid(pid, 0)


async def main(port, peak_path):
    processes = Processes(peak_path)

    async def serve(reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await processes.run_one()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), pathlib.Path(sys.argv[2])))

"""An app that takes a few microseconds for a request, so that many fit into a test. The path says what it does.
usage: mixed_app.py PORT"""

import asyncio
import re
import sys

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
NARROW_SECONDS = 0.002  # long enough that others find it taken


def with_length(status, body=b"", fields=b""):
    return b"HTTP/1.1 %d Said So\r\n%sContent-Length: %d\r\n\r\n%s" % (status, fields, len(body), body)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"a\r\n0123456789\r\n" * 3 + b"0\r\n\r\n"
ANSWERS = {
    b"/missing": with_length(404, b"n" * 20),
    b"/broken": with_length(500, b"b" * 30),
    b"/moved": with_length(302, b"", b"Location: /\r\n"),
    b"/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    b"/chunked": CHUNKED,
    b"/half": with_length(200, b"x" * 10).replace(b": 10", b": 1000"),
    b"/hang": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}
USUAL = with_length(200, b"x" * 50)


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self.buffer, 0, end)
        if len(self.buffer) < end + 4 + (int(length[1]) if length else 0):
            return
        method, target, _ = self.buffer.split(b" ", 2)
        self.buffer = b""  # weir asks one thing at a time
        if target == b"/die":
            self.transport.close()
            return
        answer = ANSWERS.get(target, USUAL)
        if method == b"HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        if target == b"/narrow":
            asyncio.get_running_loop().call_later(NARROW_SECONDS, self.transport.write, answer)
        else:
            self.transport.write(answer)


async def serve(port):
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


asyncio.run(serve(int(sys.argv[1])))

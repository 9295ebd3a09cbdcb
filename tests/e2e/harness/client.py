"""The client's side: what a test sends to the proxy and what it gets back, byte by byte if need be."""

import socket

from . import message
from .wire import Wire


class Client(Wire):
    def __init__(self, address, receive_buffer=None, source=None, greeting=b"", tls=None, name="app.test", session=None):
        """`address` is (host, port), or the path of a UNIX socket; `source` the address to come from; `greeting` is what
        it sends first, in plain. `tls` is an ssl.SSLContext, `name` whom it asks for, `session` what it resumes."""
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
        else:
            sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            sock.bind((source, 0))
        sock.settimeout(5)
        sock.connect(address)
        if greeting:
            sock.sendall(greeting)
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        super().__init__(sock)

    def request(self, target="/", method="GET", fields=(), body=None, host="weir.test"):
        """Sends a request; a body gets a Content-Length."""
        pairs = [("Host", host)] if host is not None else []
        pairs += fields.items() if isinstance(fields, dict) else fields
        if body is not None:
            pairs.append(("Content-Length", len(body)))
        self.send(message.head_bytes(f"{method} {target} HTTP/1.1", pairs) + (body or b""))
        return self

    def head(self):
        return message.read_response_head(self)

    def chunk(self):
        return message.read_chunk(self)

    def response(self, method="GET"):
        """The next response, interim ones (1xx) included, read exactly to its end."""
        response = self.head()
        if message.has_body(response, method):
            message.read_body(self, response, ends_at_close=True)
        return response

    def ask(self, target="/", method="GET", fields=(), body=None, host="weir.test"):
        return self.request(target, method, fields, body, host).response(method)

    def assert_problem(self, status, reason):
        """The next response is one of weir's own making; returns it."""
        return assert_problem(self.response(), status, reason)


def assert_problem(response, status, reason):
    assert response.status == status, (response.raw_head, response.body)
    assert response.value("content-type") == "application/problem+json"
    problem = response.json
    assert (problem["status"], problem["reason"]) == (status, reason), problem
    assert {"type", "title", "detail", "request_id"} <= problem.keys(), problem
    return response

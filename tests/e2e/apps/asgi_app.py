"""A bare ASGI app: streaming, server-sent events, an echo, and WebSockets."""

import asyncio
import json

TEXT = [(b"content-type", b"text/plain")]


async def read_body(receive):
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return body


async def reply(send, body, headers=TEXT):
    await send(
        {"type": "http.response.start", "status": 200, "headers": [*headers, (b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


async def stream(send, headers, pieces, pause):
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(pause)
    await send({"type": "http.response.body"})


async def socket_echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await socket_echo(receive, send)
    elif scope["path"] == "/stream":
        await stream(send, TEXT, (b"piece %d\n" % number for number in range(20)), 0.005)
    elif scope["path"] == "/events":
        pieces = (b"data: %d\n\n" % number for number in range(5))
        await stream(send, [(b"content-type", b"text/event-stream")], pieces, 0.05)
    elif scope["path"] == "/echo":
        body = await read_body(receive)
        headers = [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]]
        await reply(
            send,
            json.dumps(
                {
                    "method": scope["method"],
                    "path": scope["raw_path"].decode() if scope.get("raw_path") else scope["path"],
                    "query": scope["query_string"].decode(),
                    "headers": headers,
                    "length": len(body),
                }
            ).encode(),
        )
    else:
        await reply(send, b"hello from uvicorn\n")

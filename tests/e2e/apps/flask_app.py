"""A plain Flask app, as found behind many proxies."""

import hashlib
import os
import time

from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.route("/hello")
def hello():
    return "hello from flask\n"


@app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def echo():
    return jsonify(
        method=request.method,
        path=request.path,
        query=request.query_string.decode(),
        headers=dict(request.headers),
        length=len(request.get_data()),
        pid=os.getpid(),
    )


@app.route("/digest", methods=["POST"])
def digest():
    """Hashes the upload as it comes."""
    seen = hashlib.sha256()
    while piece := request.stream.read(65536):
        seen.update(piece)
    return seen.hexdigest()


@app.route("/bytes/<int:count>")
def some_bytes(count):
    return Response(b"x" * count, mimetype="application/octet-stream")


@app.route("/stream/<int:count>")
def stream(count):
    """No length known: gunicorn sends chunks."""
    return Response((f"line {number}\n" for number in range(count)), mimetype="text/plain")


@app.route("/slow/<float:seconds>")
def slow(seconds):
    time.sleep(seconds)
    return "slow\n"


@app.route("/book", methods=["GET", "POST"])
def book():
    """Whatever becomes of this process: what was begun is in the book that all of them share."""
    order = request.query_string.decode()
    if request.method == "POST":
        with open(os.environ["BOOK"], "a", encoding="ascii") as lines:
            lines.write(f"{order}\n")
    time.sleep(0.02)
    return f"{order}\n"


@app.route("/empty")
def empty():
    return "", 204


@app.route("/broken")
def broken():
    raise RuntimeError("meant to fail")

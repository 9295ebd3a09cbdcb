"""An app that takes a connection to a database for each request; the database allows 30 and refuses the 31st at once.
More threads than that may run: gunicorn --worker-class gthread --threads 128 database:app"""

import threading
import time

from flask import Flask

CONNECTIONS = 30
QUERY_SECONDS = 0.2

app = Flask(__name__)
connections = threading.BoundedSemaphore(CONNECTIONS)


@app.get("/")
def index():
    if not connections.acquire(blocking=False):
        raise RuntimeError("the database has no connection left")  # which Flask answers with 500
    try:
        time.sleep(QUERY_SECONDS)
        return "done\n"
    finally:
        connections.release()

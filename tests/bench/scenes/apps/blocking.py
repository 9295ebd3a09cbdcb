"""An app whose handlers block, each for 50 ms. Run by gunicorn with a few workers: gunicorn --workers 4 blocking:app"""

import time

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    time.sleep(0.05)
    return "done\n"


@app.post("/upload")
def upload():
    return f"{len(request.get_data())} bytes\n"

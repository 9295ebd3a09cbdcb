#!/usr/bin/env python3
"""Memory that weir holds for each idle https connection of a client, over TLS 1.2 and 1.3.
usage: tls_memory.py [--weir build/weir] [--conns 1000]"""

import argparse
import http.server
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONFIG = """
listen: {{address: "127.0.0.1:{port}", tls: {{certificate: {folder}/tls.pem, key: {folder}/tls.key}}}}
upstream: http://127.0.0.1:{app}
admin: ~
clients: {{max_connections_per_ip: 100000}}
timeout: {{keepalive: 1h}}
log: {{access: "off"}}
"""


class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "128")
        self.end_headers()
        self.wfile.write(b"x" * 128)

    def log_message(self, *_):
        pass


def resident_kib(pid):
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(figure) for figure in re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.M))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/tls.key"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", "-x509", *key, "-out", f"{folder}/tls.pem", *names], check=True, capture_output=True)


def visit(port, tls):
    """A connection that has had an answer, its tickets included."""
    client = tls.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    client.sendall(REQUEST)
    got = b""
    while not got.endswith(b"x" * 128):
        got += client.recv(4096)
    return client


def measure(port, pid, version, count):
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.minimum_version = tls.maximum_version = version
    for _ in range(20):
        visit(port, tls).close()
    time.sleep(0.5)
    before = resident_kib(pid)
    clients = [visit(port, tls) for _ in range(count)]
    time.sleep(0.5)
    after = resident_kib(pid)
    print(f"{version.name:8} {count} idle connections: {before} KiB before, {after} KiB with them: {(after - before) / count:.1f} KiB each")
    for client in clients:
        client.close()
    time.sleep(0.5)
    print(f"{'':8} after they left: {resident_kib(pid)} KiB")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--weir", default="build/weir")
    options.add_argument("--conns", type=int, default=1000)
    given = options.parse_args()
    app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with tempfile.TemporaryDirectory() as folder:
            make_certificate(folder)
            port = free_port()
            config = Path(folder) / "weir.yaml"
            config.write_text(CONFIG.format(port=port, folder=folder, app=app.server_port), encoding="ascii")
            weir = subprocess.Popen([given.weir, "--config", config], stderr=subprocess.DEVNULL)
            try:
                time.sleep(0.5)
                measure(port, weir.pid, version, given.conns)
            finally:
                weir.terminate()
                weir.wait()


main()

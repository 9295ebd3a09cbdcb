"""What stands in front of the app. Each takes its own port, the app's, a scene and a folder, and gives the command.
HAProxy and nginx are given the same job as weir, as far as they can do it."""

QUEUE = 100
QUEUE_SECONDS = 5


def weir(binary):
    def command(port, app_port, scene, folder):
        file = folder / "weir.yaml"
        file.write_text(
            f"listen: 127.0.0.1:{port}\n"
            f"upstream: http://127.0.0.1:{app_port}\n"
            "limits:\n"
            f"  concurrency: {scene.concurrency}\n"
            f"  queue: {{size: {QUEUE}, wait: {QUEUE_SECONDS}s}}\n"
            "log: {access: off}\n"
        )
        return [binary, "-c", file]

    return command


def haproxy(port, app_port, scene, folder):
    """A queue of the same length and patience, one for all clients."""
    file = folder / "haproxy.cfg"
    file.write_text(
        "global\n nbthread 1\n maxconn 9000\n"
        "defaults\n mode http\n option http-buffer-request\n"
        " timeout client 60s\n timeout server 60s\n timeout connect 2s\n"
        f" timeout queue {QUEUE_SECONDS}s\n"
        f"frontend clients\n bind 127.0.0.1:{port} backlog 4096\n default_backend app\n"
        f"backend app\n server app 127.0.0.1:{app_port} maxconn {scene.concurrency} maxqueue {QUEUE}\n"
    )
    return ["haproxy", "-f", file]


def nginx(port, app_port, scene, folder):
    """It has no queue: what is above the cap is refused."""
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;\n"
        "events { worker_connections 9000; }\n"
        "http {\n"
        f" access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        " limit_conn_zone $server_name zone=all:1m;\n"
        f" upstream app {{ server 127.0.0.1:{app_port}; keepalive 64; }}\n"
        f" server {{ listen 127.0.0.1:{port} backlog=4096; server_name localhost; location / {{\n"
        f"  limit_conn all {scene.concurrency};\n"
        '  proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";\n'
        " } } }\n"
    )
    return ["nginx", "-c", file, "-p", folder, "-e", folder / "nginx.boot"]


def fronts(weir_binary):
    """By name; None: the clients ask the app itself."""
    return {"nothing": None, "weir": weir(weir_binary), "haproxy": haproxy, "nginx": nginx}

# SPDX-License-Identifier: ISC
"""single.py SOCKET [1.0] - Python's single-threaded http.server on a
Unix-domain socket. It keeps connections, and serves one until that closes;
with 1.0 it closes each after its answer."""
import http.server
import os
import socketserver
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/" + (sys.argv[2:] or ["1.1"])[0]

    def do_GET(self):
        _, name, *rest = self.path.split("/")
        body = b"hello from python\n"
        if name == "echo":
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        elif name == "headers":
            body = "".join(
                f"{k.lower()}: {v}\n" for k, v in self.headers.items()).encode()
        elif name == "sleep":
            time.sleep(int(rest[0]) / 1000)
        elif name == "pid":
            body = f"{os.getpid()} {os.getuid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def address_string(self):
        return "uds"


class Server(socketserver.UnixStreamServer):
    request_queue_size = 128


Server(sys.argv[1], Handler).serve_forever()

# SPDX-License-Identifier: ISC
"""moody.py SOCKET DIR [close] - an HTTP/1.1 server, a thread a connection, that
answers with its pid. While there is a file DIR/PID it fails as that says: a
status, `cut` (the connection ends without an answer), `hang` (none until the
file is gone) or `noise` (what it says is no HTTP). close: after each answer."""
import http.server
import os
import socketserver
import sys
import time

MOOD = os.path.join(sys.argv[2], str(os.getpid()))


def mood():
    try:
        with open(MOOD, encoding="ascii") as f:
            return f.read().strip()
    except FileNotFoundError:
        return "200"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        while (now := mood()) == "hang":
            time.sleep(0.05)
        if now in ("cut", "noise"):
            self.close_connection = True
            if now == "noise":
                self.wfile.write(b"what?\r\n\r\n")
            return
        body = f"{os.getpid()}\n".encode()
        self.send_response(int(now))
        self.send_header("Content-Length", str(len(body)))
        if sys.argv[3:] == ["close"]:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def address_string(self):
        return "uds"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 128
    daemon_threads = True


Server(sys.argv[1], Handler).serve_forever()

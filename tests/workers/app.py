# SPDX-License-Identifier: ISC
"""A WSGI application, for gunicorn:
gunicorn --bind unix:{socket} app:application, or fd://{fd}.
The paths are those of vyx-hello(1), /pid beside."""
import os
import time


def application(environ, start_response):
    _, name, *rest = environ["PATH_INFO"].split("/")
    status, body = "200 OK", b"hello from gunicorn\n"
    if name == "echo":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
    elif name == "headers":
        body = "".join(
            f"{k[5:].replace('_', '-').lower()}: {v}\n"
            for k, v in environ.items() if k.startswith("HTTP_")).encode()
    elif name == "sleep":
        time.sleep(int(rest[0]) / 1000)
    elif name == "pid":
        body = f"{os.getpid()} {os.getuid()}\n".encode()
    elif name != "hello":
        status, body = "404 Not Found", b"no such path\n"
    start_response(status, [("Content-Type", "text/plain"),
                            ("Content-Length", str(len(body)))])
    return [body]

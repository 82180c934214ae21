# SPDX-License-Identifier: ISC
"""The cases of tests/route_*.bats: route_cases.py NAME.

Not tested here: vyx-poold and vyx-superv themselves, real workers (the flow
files), HTTP over TLS, rates of more than a few requests.
"""
import contextlib
import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from gateway import Client, Gateway, OK, until

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def request(line="GET / HTTP/1.1", *fields, body=b""):
    head = "".join(f"{f}\r\n" for f in (line, "Host: h", *fields))
    return head.encode("latin-1") + b"\r\n" + body


def says(data, end=False):
    """A worker that answers just that."""
    def answer(conn, _):
        conn.sendall(data)
        return end
    return answer


# ---- heads and connections -------------------------------------------------

def keep_alive():
    with Gateway() as g:
        c = g.client()
        for _ in range(3):
            a = c.ask(GET)
            assert (a.status, a.body, a.get("connection")) == (200, b"ok", [])
        assert g.worker.conns == 1, "each request took a new connection"
        a = c.ask(request("GET / HTTP/1.1", "Connection: close"))
        assert a.get("connection") == ["close"] and c.ended()


def pipelining():
    with Gateway(routes=(("r1", "GET", "/w/*n"),)) as g:
        def answer(conn, r):
            body = r.line.encode()
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" %
                         (len(body), body))
        g.worker.answer = answer
        c = g.client()
        ask = b"".join(request(f"GET /w/{i} HTTP/1.1") +
                       request(f"GET /none/{i} HTTP/1.1") for i in range(40))
        c.send(ask)
        for i in range(40):
            a = c.answer()
            assert a.body == f"GET /w/{i} HTTP/1.1".encode(), a.body
            assert c.answer().status == 404
        assert [r.line.split()[1] for r in g.worker.seen] == \
            [f"/w/{i}" for i in range(40)]
        # one byte at a time, and a body between two heads
        for b in request("GET /w/a HTTP/1.1", "Content-Length: 3", body=b"abc"):
            c.send(bytes([b]))
        c.send(request("GET /w/b HTTP/1.1"))
        assert b"/w/a" in c.answer().body and b"/w/b" in c.answer().body


BAD = {  # what two parsers could read differently
    "cl and te": (400, b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
    "two cl": (400, b"Content-Length: 3\r\nContent-Length: 3\r\n"),
    "cl list": (400, b"Content-Length: 3, 3\r\n"),
    "cl sign": (400, b"Content-Length: +3\r\n"),
    "cl hex": (400, b"Content-Length: 0x3\r\n"),
    "cl empty": (400, b"Content-Length: \r\n"),
    "te list": (400, b"Transfer-Encoding: chunked,\r\n"),
    "te twice": (400, b"Transfer-Encoding: chunked\r\n"
                      b"Transfer-Encoding: chunked\r\n"),
    "te other": (501, b"Transfer-Encoding: gzip, chunked\r\n"),
    "te identity": (400, b"Transfer-Encoding: identity\r\n"),
    "bare lf": (400, b"A: b\nB: c\r\n"),
    "bare cr": (400, b"A: b\rc\r\n"),
    "nul": (400, b"A: b\0c\r\n"),
    "fold": (400, b"A: b\r\n c\r\n"),
    "blank before colon": (400, b"A : b\r\n"),
    "no name": (400, b": b\r\n"),
    "two hosts": (400, b"Host: h\r\n"),
    "expectation": (417, b"Expect: bacon\r\n"),
}


def ambiguous():
    with Gateway() as g:
        for name, (status, lines) in BAD.items():
            c = g.client()
            a = c.ask(b"POST / HTTP/1.1\r\nHost: h\r\n" + lines +
                      b"\r\nabcGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert a.status == status, (name, a.line)
            assert a.get("connection") == ["close"], name
            assert a.error() and a.get("x-request-id") and c.ended(), name
        for line, status in ((b"GET / HTTP/2.0", 505), (b"GET /", 400),
                             (b"GET  / HTTP/1.1", 400),
                             (b"GET /#f HTTP/1.1", 400),
                             (b"CONNECT h:80 HTTP/1.1", 501),
                             (b"GET /a%2fb HTTP/1.1", 400),
                             (b"GET /a;b HTTP/1.1", 400),
                             (b"GET /%zz HTTP/1.1", 400)):
            a = g.ask(line + b"\r\nHost: h\r\n\r\n")
            assert a.status == status, (line, a.line)
        assert g.ask(b"GET / HTTP/1.1\r\n\r\n").status == 400  # no Host
        assert g.worker.seen == [], g.worker.seen


BAD_CHUNKS = [b"3\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"-1\r\n",
              b"0x3\r\nabc\r\n0\r\n\r\n", b"fffffffffffffffff\r\n",
              b"3\r\nabc\r\n0\r\nContent-Length\r\n\r\n", b"3;\nabc\r\n"]


def bad_chunks():
    with Gateway() as g:
        for chunk in BAD_CHUNKS:
            c = g.client()
            a = c.ask(request("POST / HTTP/1.1", "Transfer-Encoding: chunked",
                              body=chunk))
            assert a.status == 400 and c.ended(), (chunk, a.line)
        until(lambda: len(g.pool.held) == 0)


def limits():
    with Gateway(max_head=4096, payload_max_size=100000) as g:
        c = g.client()
        a = c.ask(request("GET / HTTP/1.1", "A: " + "x" * 5000))
        assert a.status == 431 and c.ended()
        assert g.get("/" + "x" * 5000).status == 414
        many = [f"A{i}: b" for i in range(200)]
        assert g.get("/", *many).status == 431
        for fields, body in ((("Content-Length: 100001",), b"x" * 10),
                             (("Transfer-Encoding: chunked",),
                              b"186a1\r\n" + b"x" * 100001 + b"\r\n")):
            c = g.client()
            a = c.ask(request("POST / HTTP/1.1", *fields, body=body))
            assert a.status == 413 and a.error() == "payload too large"
            assert a.get("connection") == ["close"] and c.ended()
        a = g.ask(request("POST / HTTP/1.1", "Content-Length: 100000",
                          body=b"x" * 100000))
        assert a.status == 200 and len(g.worker.seen[-1].body) == 100000
        # a body that is refused and short leaves the connection usable
        c = g.client()
        a = c.ask(request("TRACE / HTTP/1.1", "Content-Length: 3"))
        assert a.status == 405
        assert c.ask(b"abc" + GET).status == 200


def large_heads():
    """A head and a held body that do not fit one buffer."""
    with Gateway(max_head=65536) as g:
        big = "A: " + "x" * 60000
        a = g.ask(request("POST / HTTP/1.1", big, "Content-Length: 65536",
                          body=b"y" * 65536))
        assert a.status == 200 and len(g.worker.seen[0].body) == 65536
        assert g.worker.seen[0].get("a") == ["x" * 60000]
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\n" + big.encode() +
                               b"\r\nContent-Length: 65536\r\n\r\n" +
                               b"z" * 65536)
        # also to one who reads so late that a head finds no room
        for late in (0, 0.3):
            c = g.client(rcvbuf=4096 if late else None).send(GET * 5)
            time.sleep(late)
            for _ in range(5):
                a = c.answer()
                assert len(a.body) == 65536 and a.get("a") == ["x" * 60000]


def timeouts():
    with Gateway(header_timeout=200, idle_timeout=400, body_timeout=200) as g:
        c = g.client()
        assert c.ask(b"GET / HTTP/1.1\r\n").status == 408 and c.ended()
        c = g.client()
        assert c.ended(), "idle"
        c = g.client()
        assert c.ask(GET).status == 200 and c.ended()
        c = g.client()
        a = c.ask(request("POST / HTTP/1.1", "Content-Length: 9", body=b"ab"))
        assert a.status == 408 and c.ended()
        assert len(g.worker.seen) == 1, "half a body reached the worker"


def body_rate():
    with Gateway(body_timeout=60000, body_min_rate=1000) as g:
        c = g.client()
        c.send(request("POST / HTTP/1.1", "Content-Length: 60000"))
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 9:
                c.send(b"x" * 10)
                time.sleep(0.2)
        assert c.answer().status == 408
        assert 4 < time.monotonic() - began < 11


def unsent(g, c):
    """Bytes that the kernel keeps for this client, None: no socket is left."""
    here, there = ("%04X" % a[1] for a in (g.addr, c.s.getsockname()))
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f:
            _, local, peer, _, queues = line.split()[:5]
            if local.endswith(":" + here) and peer.endswith(":" + there):
                return int(queues.split(":")[0], 16)
    return None


def no_last_read():
    """A client that does not read is cut off, and nothing is kept for him."""
    with Gateway(write_timeout=300) as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000"
                               b"\r\n\r\n" + b"x" * 9000000)
        c = g.client(rcvbuf=4096)
        c.send(GET)
        most = 0

        def gone():
            nonlocal most
            most = max(most, unsent(g, c) or 0)
            return g.figures()["clients"] == "0"
        until(gone)
        assert 10000 < most < 400000, most
        assert unsent(g, c) is None
        until(lambda: g.pool.records("drop"))
        assert g.log()[0]["cut"]
        # nor does the kernel hold anything for it
        assert c.s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == \
            errno.ECONNRESET


# ---- what is passed on -----------------------------------------------------

def request_fields():
    with Gateway() as g:
        a = g.get("/a/../b//%7e?q=%2f", "X-Forwarded-For: 6.6.6.6",
                  "X_Forwarded_For: 6.6.6.7", "Forwarded: for=6.6.6.8",
                  "x-real-ip: 6.6.6.9", "X-Forwarded-Proto: https",
                  "X-Forwarded-Host: evil", "X-Forwarded-Port: 1",
                  "Connection: keep-alive, X-Hop, X-Forwarded-For, Cookie",
                  "X-Hop: 1", "Keep-Alive: timeout=1", "Proxy-Connection: x",
                  "Upgrade: h2c", "TE: gzip", "Via: 1.0 before",
                  "Cookie: a=b", "X-Request-Id: my.id-1", "X-Empty:",
                  "X-Blank: \t v \t")
        assert a.status == 200 and a.get("x-request-id") == ["my.id-1"]
        r = g.worker.seen[0]
        assert r.line == "GET /b/~?q=%2f HTTP/1.1", r.line
        text = r.head.decode()
        assert "6.6.6" not in text and "evil" not in text, text
        for gone in ("x-hop", "keep-alive", "proxy-connection", "upgrade",
                     "te", "connection", "x-real-ip", "x-forwarded-port"):
            assert r.get(gone) == [], gone
        assert r.get("host") == ["h"] and r.get("x-forwarded-host") == ["h"]
        assert r.get("x-forwarded-for") == ["127.0.0.1"]
        assert r.get("x-forwarded-proto") == ["http"]
        assert r.get("forwarded") == ['for=127.0.0.1;host="h";proto=http']
        assert r.get("via") == ["1.0 before", "1.1 vyx"]
        assert r.get("x-request-id") == ["my.id-1"]
        assert r.get("cookie") == ["a=b"] and r.get("x-blank") == ["v"]
        g.get("/", "X-Request-Id: not good")
        assert "not good" not in g.worker.seen[1].head.decode()
        g.ask(b"GET http://other:81/p HTTP/1.1\r\nHost: h\r\n\r\n")
        assert g.worker.seen[2].line == "GET /p HTTP/1.1"
        assert g.worker.seen[2].get("host") == ["other:81"]


def request_bodies():
    with Gateway() as g:
        g.ask(request("POST / HTTP/1.1", "Transfer-Encoding: chunked",
                      "Trailer: X-T", body=b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n"
                      b"X-T: yes\r\nContent-Length: 9\r\nHost: evil\r\n\r\n"))
        r = g.worker.seen[0]
        assert r.get("transfer-encoding") == ["chunked"]
        assert b"ext" not in r.body and b"abc" in r.body and b"de" in r.body
        assert r.body.endswith(b"0\r\nX-T: yes\r\n\r\n"), r.body
        g.ask(request("PUT / HTTP/1.1", "Content-Length: 5", body=b"hello"))
        assert (g.worker.seen[1].body, g.worker.seen[1].get(
            "content-length")) == (b"hello", ["5"])
        g.ask(request("POST / HTTP/1.1", "Content-Length: 0"))
        assert g.worker.seen[2].get("content-length") == ["0"]


def answer_forms():
    with Gateway() as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                               b"\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\n\r\n")
        a = g.get()
        assert a.body == b"abcdef" and b"x=y" not in a.raw
        c = g.client()
        a = c.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert a.body == b"abcdef" and not a.get("transfer-encoding")
        assert a.get("connection") == ["close"] and c.ended()
        g.worker.answer = says(b"HTTP/1.0 200 OK\r\n\r\nto the end", True)
        a = g.get()
        assert a.body == b"to the end"
        assert a.get("transfer-encoding") == ["chunked"]
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        a = g.ask(request("HEAD / HTTP/1.1"), "HEAD")
        assert a.get("content-length") == ["5"]
        g.worker.answer = says(b"HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n")
        c = g.client()
        assert c.ask(GET).status == 304
        g.worker.answer = says(b"HTTP/1.1 204 No\r\n\r\n")
        a = c.ask(GET)
        assert a.status == 204 and not a.get("content-length")
        g.worker.answer = says(OK)
        a = c.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert a.get("connection") == ["keep-alive"]
        assert c.ask(b"GET / HTTP/1.0\r\n\r\n").get("connection") == ["close"]
        assert c.ended()


def answer_fields():
    with Gateway() as g:
        g.worker.answer = says(
            b"HTTP/1.1 200 Fine\r\nContent-Length: 0\r\nConnection: X-Gone\r\n"
            b"X-Gone: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\nX-Frame-Options: SAMEORIGIN\r\n"
            b"Content-Type: text/html\r\nX-Request-Id: theirs\r\n"
            b"Vyx-Instance: secret\r\nVia: 1.0 w\r\n"
            b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
        a = g.get("/", "X-Request-Id: mine")
        assert a.line == "HTTP/1.1 200 Fine"
        for gone in ("x-gone", "keep-alive", "vyx-instance", "connection"):
            assert a.get(gone) == [], gone
        assert a.get("set-cookie") == ["a=1", "b=2"]
        assert a.get("x-frame-options") == ["SAMEORIGIN"]
        assert a.get("content-type") == ["text/html"]
        assert a.get("x-content-type-options") == ["nosniff"]
        assert a.get("x-request-id") == ["mine"]
        assert a.get("via") == ["1.0 w", "1.1 vyx"]
        assert a.get("date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]
        g.worker.answer = says(OK)
        a = g.get()
        assert len(a.get("date")) == 1 and len(a.get("x-request-id")[0]) == 36
        for name, value in (("X-Frame-Options", "DENY"),
                            ("X-Xss-Protection", "1; mode=block"),
                            ("Content-Security-Policy", "default-src 'self'"),
                            ("Referrer-Policy",
                             "strict-origin-when-cross-origin"),
                            ("Strict-Transport-Security",
                             "max-age=63072000; includeSubDomains")):
            assert a.get(name) == [value], name
            assert g.get("/%2f").get(name) == [value], name


def trailers():
    with Gateway() as g:
        g.worker.answer = says(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n"
            b"\r\n1\r\na\r\n0\r\nX-T: yes\r\nContent-Length: 7\r\n\r\n")
        a = g.get("/", "TE: trailers", "Connection: TE")
        assert a.raw.endswith(b"0\r\nX-T: yes\r\n\r\n"), a.raw
        assert a.get("trailer") == ["X-T"]
        assert g.worker.seen[0].get("te") == ["trailers"]
        assert g.worker.seen[0].get("connection") == ["TE"]
        a = g.get()
        assert a.raw == b"1\r\na\r\n0\r\n\r\n" and not a.get("trailer")
        assert g.worker.seen[1].get("te") == []


def interim():
    with Gateway() as g:
        g.worker.answer = says(b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"
                               b"HTTP/1.1 102 Processing\r\n\r\n" + OK)
        c = g.client()
        a = c.ask(GET)
        assert a.status == 103 and a.get("link") == ["</a>"]
        assert c.answer().status == 102 and c.answer().body == b"ok"
        assert c.ask(GET).status == 103
        c = g.client()
        a = c.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert a.status == 200 and a.body == b"ok"


def expect():
    with Gateway() as g:
        g.worker.early = True

        def answer(conn, r):
            if "/no" in r.line:
                conn.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
                return
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            g.worker.body(r)
            conn.sendall(OK)
        g.worker.answer = answer
        ask = ("Expect: 100-continue", "Content-Length: 5")
        c = g.client()
        assert c.ask(request("POST / HTTP/1.1", *ask)).status == 100
        a = c.ask(b"hello")
        assert a.status == 200 and g.worker.seen[0].body == b"hello"
        assert g.worker.seen[0].get("expect") == ["100-continue"]
        c = g.client()
        a = c.ask(request("POST /no HTTP/1.1", *ask))
        assert a.status == 401 and a.get("connection") == ["close"]
        assert c.ended()
        c = g.client()
        a = c.ask(request("POST /a%2fb HTTP/1.1", *ask))
        assert a.status == 400 and a.get("connection") == ["close"]


def full_duplex():
    """Both ways at once, and an answer that ends before its request."""
    with Gateway(payload_max_size=0) as g:
        g.worker.early = True

        def echo(conn, r):
            conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                         b"\r\n\r\n")
            while True:
                line = r.file.readline()
                size = int(line, 16)
                data = r.file.read(size + 2)
                conn.sendall(line + data)
                if not size:
                    return
        g.worker.answer = echo
        c = g.client()
        c.send(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"))
        assert c.head().status == 200
        for i in range(20):
            piece = b"piece %d" % i
            c.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            c.f.readline()
            assert c.f.readline() == piece + b"\r\n"
        c.send(b"0\r\n\r\n")
        assert c.f.readline() == b"0\r\n"
        c.f.readline()
        assert c.ask(request("POST / HTTP/1.1", "Transfer-Encoding: chunked",
                             body=b"1\r\na\r\n0\r\n\r\n")).body == b"a"
        g.worker.answer = says(OK)
        c = g.client()
        a = c.ask(request("POST / HTTP/1.1", "Content-Length: 999999999",
                          body=b"x" * 1000))
        assert a.status == 200 and a.body == b"ok"
        with contextlib.suppress(OSError):
            while c.send(b"x" * 65536):
                pass
        until(lambda: g.figures()["clients"] == "0")
        assert g.pool.records("drop"), "a connection with a rest was kept"


def websocket():
    ask = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k",
           "Sec-WebSocket-Version: 13")
    with Gateway(routes=(("r1", "WS", "/ws"), ("r2", "GET", "/*rest"))) as g:
        def answer(conn, r):
            if not r.get("upgrade"):
                conn.sendall(OK)
                return None
            time.sleep(0.3)  # nothing else is left to say to vyx-poold
            conn.sendall(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n"
                         b"Upgrade: websocket\r\nSec-WebSocket-Accept: a\r\n"
                         b"\r\nhello")
            while data := conn.recv(65536):
                conn.sendall(data.upper())
                if data == b"bye":
                    return True
            return True
        g.worker.answer = answer
        c = g.client()
        a = c.ask(request("GET /ws HTTP/1.1", "X-Request-Id: ws1", *ask)
                  + b"first")
        assert a.status == 101 and a.get("upgrade") == ["websocket"]
        assert a.get("connection") == ["Upgrade"]
        assert a.get("sec-websocket-accept") == ["a"]
        assert c.f.read(10) == b"helloFIRST"
        big = b"x" * 3000000
        threading.Thread(target=c.s.sendall, args=(big,)).start()
        assert c.f.read(len(big)) == big.upper()
        until(lambda: g.pool.records("tunnel"))
        c.send(b"bye")
        assert c.f.read(3) == b"BYE" and c.ended()
        until(lambda: g.pool.records("drop"))
        line = g.log()[0]
        assert (line["method"], line["path"]) == ("GET", "/ws"), line
        assert (line["status"], line["correlation_id"]) == (101, "ws1"), line
        assert g.log()[0]["bytes"] == len(big) + 13, g.log()[0]
        # elsewhere an upgrade is nothing, and h2c nowhere anything
        assert g.get("/x", *ask).status == 200
        assert not g.worker.seen[1].get("upgrade")
        h2c = ("Connection: Upgrade", "Upgrade: h2c")
        assert g.get("/x", *h2c).status == 200
        assert not g.worker.seen[2].get("upgrade")
        # the client leaves
        c = g.client()
        assert c.ask(request("GET /ws HTTP/1.1", *ask)).status == 101
        n = len(g.pool.records("drop"))
        c.close()
        until(lambda: len(g.pool.records("drop")) > n)
        # silence
        g.heard(g.reg("put", "setting", "gateway.tunnel_timeout",
                      "value=300"))
        c = g.client()
        assert c.ask(request("GET /ws HTTP/1.1", *ask)).status == 101
        assert c.f.read(5) == b"hello" and c.ended()
        g.heard(g.reg("del", "setting", "gateway.tunnel_timeout"))
        # as many as there may be
        many = [g.client() for _ in range(3)]
        got = [k.ask(request("GET /ws HTTP/1.1", *ask)).status for k in many]
        assert got == [101, 101, 503], got
        for k in many:
            k.close()
        # one nobody asked for
        g.worker.answer = says(b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\n"
                               b"Upgrade: websocket\r\n\r\n")
        assert g.get().status == 502


# ---- routes and own answers ------------------------------------------------

def routing():
    with Gateway(routes=(("r1", "GET", "/a/:x"), ("r2", "POST", "/a/b"),
                         ("r3", "GET", "/secret", "role=admin"),
                         ("r4", "GET", "/h", "host=only"))) as g:
        a = g.get("/none")
        assert a.status == 404 and a.error() == "route not found"
        a = g.ask(request("DELETE /a/c HTTP/1.1"))
        assert a.status == 405 and a.get("allow") == ["GET, HEAD"], a.fields
        assert g.get("/a/b").status == 200, "no backtracking"
        assert g.ask(request("HEAD /a/b HTTP/1.1"), "HEAD").status == 200
        a = g.get("/secret")
        assert a.status == 401 and a.error() == "unauthorized"
        assert g.get("/h").status == 404
        assert g.ask(b"GET /h HTTP/1.1\r\nHost: ONLY:8080\r\n\r\n") \
            .status == 200
        a = g.ask(request("OPTIONS * HTTP/1.1"))
        assert a.status == 200 and "GET" in a.get("allow")[0]
        assert g.ask(request("TRACE /a/b HTTP/1.1")).status == 405
        assert len(g.worker.seen) == 3


def max_forwards():
    with Gateway() as g:
        a = g.ask(request("OPTIONS / HTTP/1.1", "Max-Forwards: 0"))
        assert a.status == 200 and a.get("allow") and not g.worker.seen
        g.ask(request("OPTIONS / HTTP/1.1", "Max-Forwards: 7"))
        assert g.worker.seen[0].get("max-forwards") == ["6"]
        g.ask(request("OPTIONS / HTTP/1.1"))
        assert not g.worker.seen[1].get("max-forwards")


def reload():
    """Each commit is a table of its own; what is in flight keeps its."""
    with Gateway(routes=(("r1", "GET", "/a"),)) as g:
        gate = threading.Event()

        def answer(conn, r):
            gate.wait(10)
            conn.sendall(OK)
        g.worker.answer = answer
        c = g.client()
        c.send(request("GET /a HTTP/1.1"))
        until(lambda: g.worker.seen)
        g.reg("del", "route", "r1")
        until(lambda: g.get("/a").status == 404)
        gate.set()
        assert c.answer().body == b"ok"
        g.reg("put", "route", "r2", "method=GET", "path=/b", "worker=w")
        until(lambda: g.get("/b").status == 200)
        g.reg("put", "setting", "security.payload_max_size", "value=10")
        until(lambda: g.ask(request("GET /b HTTP/1.1", "Content-Length: 11",
                                    body=b"x" * 11)).status == 413)
        g.reg("del", "setting", "security.payload_max_size")
        until(lambda: g.ask(request("GET /b HTTP/1.1", "Content-Length: 11",
                                    body=b"x" * 11)).status == 200)
        # a worker without a row, then without a living endpoint
        g.reg("del", "worker", "w")
        until(lambda: g.get("/b").status == 503)


def registry_away():
    with Gateway(regd=False) as g:
        a = g.get()
        assert a.status == 503 and a.get("retry-after"), a.fields
    with Gateway() as g:
        assert g.get().status == 200
        g.procs["regd"].kill()
        g.procs["regd"].wait()
        g.allowed = (-9,)
        for _ in range(3):
            assert g.get().status == 200


# ---- the pool --------------------------------------------------------------

def not_ready():
    with Gateway() as g:
        g.reg("del", "endpoint", "w#1")
        g.pool.up = 0
        for p in g.pool.peers.values():
            g.pool.window(p)
        a = until(lambda: (b := g.get()).status == 503 and b)
        assert a.get("retry-after") and a.error() == "worker not ready"


def queue():
    gate = threading.Event()
    with Gateway(limit=1, worker={"max-waiting": 2, "wait-ms": 3000}) as g:
        def answer(conn, r):
            if "/slow" in r.line:
                gate.wait(10)
            conn.sendall(OK)
        g.worker.answer = answer
        first = g.client().send(request("GET /slow HTTP/1.1"))
        until(lambda: g.worker.seen)
        second = g.client().send(request("GET /2 HTTP/1.1"))
        until(lambda: g.figures()["waiting"] == "1")
        third = g.client().send(request("GET /3 HTTP/1.1"))
        until(lambda: g.figures()["waiting"] == "2")
        a = g.get("/4")
        assert a.status == 503 and a.get("retry-after"), a.line
        # one leaves, another comes
        second.close()
        until(lambda: g.figures()["waiting"] == "1")
        until(lambda: g.pool.records("need")[-1]["waiting"] == "1")
        assert "/2" not in " ".join(r.line for r in g.worker.seen)
        a = third.answer()
        assert a.status == 504 and a.get("retry-after")
        assert a.error() == "upstream timeout"
        fourth = g.client().send(request("GET /5 HTTP/1.1"))
        until(lambda: g.figures()["waiting"] == "1")
        gate.set()
        assert first.answer().status == 200 and fourth.answer().status == 200
        assert [r.line.split()[1] for r in g.worker.seen] == ["/slow", "/5"]
        assert g.worker.conns == 1


def upstream_timeout():
    with Gateway(global_timeout=600) as g:
        g.worker.answer = lambda conn, r: time.sleep(30)
        c = g.client()
        a = c.ask(GET)
        assert a.status == 504
        assert a.error() == "upstream timeout"
        until(lambda: g.pool.records("drop"))
        assert g.pool.records("drop")[0]["why"] == "timeout"
        # it binds until the answer's head, not its body
        def slow(conn, r):
            conn.sendall(OK[:-2])
            time.sleep(1.2)
            conn.sendall(b"ok")
        g.worker.answer = slow
        assert c.ask(GET).body == b"ok"


def answer_stall():
    with Gateway(answer_timeout=300) as g:
        def half(conn, r):
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            time.sleep(30)
        g.worker.answer = half
        c = g.client().send(GET)
        assert c.head().status == 200 and c.f.read(9) == b"abc"


def late_acquire():
    """A slow upload of known, small length holds no connection."""
    with Gateway(limit=1) as g:
        slow = g.client().send(request("POST /slow HTTP/1.1",
                                       "Content-Length: 60000", body=b"x"))
        for _ in range(5):
            assert g.get().status == 200
        assert g.worker.conns == 1 and len(g.worker.seen) == 5
        assert slow.ask(b"x" * 59999).status == 200
        assert len(g.worker.seen[5].body) == 60000


def early_release():
    """A slow reader of a small answer holds no connection either."""
    with Gateway(limit=1) as g:
        def answer(conn, r):
            size = int(r.line.split()[1][1:])
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                         size + b"x" * size)
        g.worker.answer = answer
        slow = []
        for _ in range(5):  # fills what the kernel takes, and the buffer
            c = g.client(rcvbuf=4096)
            c.send(b"".join(request("GET /65000 HTTP/1.1")
                            for _ in range(40)))
            slow.append(c)
        until(lambda: len(g.worker.seen) > 10)
        assert g.get("/10").status == 200
        for c in slow:
            for _ in range(40):
                assert len(c.answer().body) == 65000


def retries():
    with Gateway() as g:
        tries = []

        def close_first(conn, r):
            tries.append(r.conn)
            if len(tries) < 3:
                return True
            conn.sendall(OK)
        g.worker.answer = close_first
        assert g.get().status == 200 and len(tries) == 3
        assert g.log()[0]["attempt"] == 3
        assert g.figures()["retries"] == "2"
        tries.clear()
        a = g.ask(request("POST / HTTP/1.1", "Content-Length: 1", body=b"x"))
        assert a.status == 502 and len(tries) == 1, tries
        assert a.error() == "bad gateway"
        tries.clear()
        a = g.ask(request("PUT / HTTP/1.1", "Content-Length: 1", body=b"x"))
        assert a.status == 200 and len(tries) == 3
        g.worker.answer = lambda conn, r: (tries.append(0), True)[1]
        tries.clear()
        assert g.get().status == 502 and len(tries) == 3, tries
        # a byte of the answer came: never again
        tries.clear()

        def partly(conn, r):
            tries.append(0)
            conn.sendall(b"HTTP/1.1 2")
            return True
        g.worker.answer = partly
        assert g.get().status == 502 and len(tries) == 1
        # what is streamed is not kept
        g.worker.answer = close_first
        tries.clear()
        a = g.ask(request("PUT / HTTP/1.1", "Content-Length: 300000",
                          body=b"x" * 300000))
        assert a.status == 502 and len(tries) == 1, (a.line, tries)


def all_at_once():
    """A worker dies: its idle connections are no attempts."""
    with Gateway() as g:
        conns, stage = [], []
        g.worker.on_accept = lambda conn, no: conns.append(conn)

        def answer(conn, r):
            stage.append(r.conn)
            if len(stage) == 1:
                g.procs["route.0"].send_signal(signal.SIGSTOP)
                for k in [conn] + [k for k in conns if k is not conn]:
                    k.shutdown(socket.SHUT_RDWR)
                g.procs["route.0"].send_signal(signal.SIGCONT)
            elif len(stage) == 3:
                conn.sendall(OK)
            return len(stage) < 3
        g.worker.answer = answer
        peer = until(lambda: next(iter(g.pool.peers.values()), None))
        for _ in range(5):
            g.pool.push(peer)
        until(lambda: g.figures()["idle"] == "5" and len(conns) == 5)
        assert g.get().status == 200, stage
        assert g.log()[0]["attempt"] == 3, g.log()


def unread():
    """Closed with our bytes unread: no method was acted on."""
    with Gateway() as g:
        g.worker.on_accept = lambda conn, no: \
            no < 3 and (time.sleep(0.1), True)[1]
        a = g.ask(request("POST / HTTP/1.1", "Content-Length: 0"))
        assert a.status == 200 and g.worker.conns == 3
        g.worker.on_accept = lambda conn, no: \
            no < 5 and (time.sleep(1), True)[1]
        for p in g.pool.peers.values():
            g.pool.say(p, "void", i="w#1", below=99)
        g.pool.next = 100
        until(lambda: g.figures()["idle"] == "0")
        a = g.ask(request("POST / HTTP/1.1", "Content-Length: 1", body=b"x"))
        assert a.status == 502, "a body may have been read"


def stale():
    """Connections that end, or speak, before they are used."""
    with Gateway() as g:
        conns = []
        g.worker.on_accept = lambda conn, no: conns.append(conn)
        peer = until(lambda: next(iter(g.pool.peers.values()), None))
        for _ in range(3):
            g.pool.push(peer)
        until(lambda: g.figures()["idle"] == "3" and len(conns) == 3)
        conns[0].shutdown(socket.SHUT_RDWR)
        until(lambda: g.figures()["idle"] == "2")
        conns[1].sendall(b"HTTP/1.1 408 Timeout\r\n\r\n")
        until(lambda: g.figures()["idle"] == "1")
        until(lambda: [d["why"] for d in g.pool.records("drop")] ==
              ["eof", "bytes"])
        # a 408 that was written before the request came
        answers = [b"HTTP/1.1 408 T\r\nConnection: close\r\n"
                   b"Content-Length: 0\r\n\r\n", OK]
        g.worker.answer = lambda conn, r: conn.sendall(answers.pop(0))
        assert g.ask(request("POST / HTTP/1.1", "Content-Length: 1",
                             body=b"x")).status == 200
        assert not answers
        # on a connection used before it is an answer
        answers += [b"HTTP/1.1 408 T\r\nConnection: close\r\n"
                    b"Content-Length: 0\r\n\r\n"]
        assert g.get().status == 408


def extra_bytes():
    with Gateway() as g:
        g.worker.answer = says(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4"
                               b"\r\n\r\nevil")
        c = g.client()
        for i in range(1, 4):
            assert c.ask(GET).body == b"ok"
            assert g.worker.conns == i, "it was used again"
        assert {d["why"] for d in g.pool.records("drop")} == {"bytes"}
        # the rest comes when the connection is idle

        def late(conn, r):
            conn.sendall(OK)
            time.sleep(0.05)
            conn.sendall(b"evil")
        g.worker.answer = late
        n = g.worker.conns
        assert c.ask(GET).body == b"ok"
        until(lambda: len(g.pool.records("drop")) == 4)
        g.worker.answer = says(OK)
        assert c.ask(GET).body == b"ok" and g.worker.conns == n + 2


NEVER_OPEN = {"security.circuit_breaker.failures": 2147483647}


def bad_answers():
    with Gateway(max_head=4096, keys=NEVER_OPEN) as g:
        for data in (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                     b"Content-Length: 2\r\n\r\nab",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nA: " + b"x" * 5000 + b"\r\n\r\n",
                     b"HTTP/1.1 2000 OK\r\n\r\n", b"hello\r\n\r\n",
                     b"HTTP/1.1 101 Up\r\nUpgrade: h2c\r\n\r\n"):
            g.worker.answer = says(data, True)
            a = g.get()
            assert a.status == 502 and a.error(), (data[:60], a.line)
            assert g.pool.held == {} or until(lambda: g.pool.held == {})
        g.worker.answer = says(OK)
        assert g.get().status == 200


def cut_answers():
    with Gateway(keys=NEVER_OPEN) as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
                               b"abc", True)
        c = g.client().send(GET)
        assert c.head().status == 200 and c.f.read() == b"abc"
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                               b"\r\n\r\n3\r\nabc\r\n", True)
        c = g.client().send(GET)
        assert c.head().status == 200 and c.f.read() == b"3\r\nabc\r\n"
        # with no framing of its own the cut must not look like the end
        c = g.client().send(b"GET / HTTP/1.0\r\n\r\n")
        try:
            c.head()
            c.f.read()
            raise AssertionError("a cut answer looks whole")
        except ConnectionResetError:
            pass
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                               b"\r\n\r\nzz\r\n", True)
        c = g.client().send(GET)
        assert c.head().status == 200 and c.f.read() == b""
        assert all(line.get("cut") for line in g.log(4))
        # bytes and the end come as one event
        route, go = g.procs["route.0"], threading.Event()

        def at_once(conn, r):
            go.wait(10)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            return True
        g.worker.answer = at_once
        c = g.client().send(GET)
        until(lambda: len(g.worker.seen) == 5)
        route.send_signal(signal.SIGSTOP)
        go.set()
        time.sleep(0.2)
        route.send_signal(signal.SIGCONT)
        assert c.head().status == 200 and c.f.read() == b"abc"
        g.worker.answer = says(OK)
        assert g.get().status == 200


def client_gone():
    gate = threading.Event()
    with Gateway() as g:
        g.worker.answer = lambda conn, r: (gate.wait(10), conn.sendall(OK))[1]
        c = g.client().send(GET)
        until(lambda: g.worker.seen)
        c.close()
        until(lambda: g.pool.records("drop"))
        assert g.pool.records("drop")[0]["why"] == "abort"
        assert g.log()[0]["status"] == 499
        gate.set()
        # in mid-upload
        over, g.worker.early = threading.Event(), True
        g.worker.answer = lambda conn, r: over.wait(10)
        c = g.client().send(request("POST / HTTP/1.1",
                                    "Transfer-Encoding: chunked",
                                    body=b"3\r\nabc\r\n"))
        until(lambda: len(g.worker.seen) == 2)
        c.close()
        until(lambda: len(g.pool.records("drop")) == 2)
        over.set()
        g.worker.early, g.worker.answer = False, lambda conn, r: conn.sendall(OK)
        assert g.get().status == 200
        assert g.figures()["aborted"] == "2"
        # with the last byte, in the same turn
        g.worker.answer = lambda conn, r: None
        route = g.procs["route.0"]
        for i, body in enumerate((b"", b"x" * 20000, b"x" * 500000)):
            c = g.client()
            route.send_signal(signal.SIGSTOP)
            threading.Timer(0.5, route.send_signal, (signal.SIGCONT,)).start()
            c.send(request("POST / HTTP/1.1", f"Content-Length: {len(body)}",
                           body=body))
            if len(body) > 100000:
                c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
            c.close()
            until(lambda n=str(3 + i): g.figures()["aborted"] == n)
            until(lambda: g.figures()["clients"] == "0")


def pool_killed():
    """vyx-poold goes and comes; what is held goes on, and is told again."""
    with Gateway() as g:
        assert g.get().status == 200
        g.pool.end()
        for _ in range(5):
            assert g.get().status == 200
        assert g.worker.conns == 1
        c = [g.client() for _ in range(2)]
        gate = threading.Event()
        g.worker.answer = lambda conn, r: (gate.wait(10), conn.sendall(OK))[1]
        for k in c:
            k.send(GET)
        until(lambda: g.figures()["waiting"] == "1")
        g.pool.said.clear()
        g.pool.begin()
        until(lambda: g.pool.records("held"))
        assert g.pool.records("hold")[0]["state"] == "busy"
        gate.set()
        for k in c:
            assert k.answer().status == 200


# ---- bounds ----------------------------------------------------------------

def asan():
    with open(f"{os.environ['VYX_BUILD']}/bin/vyx-route", "rb") as f:
        return b"__asan_init" in f.read()


def upload():
    """As fast as the worker reads, and no faster."""
    size = 300 << 20
    with Gateway(payload_max_size=0) as g:
        g.worker.early = True
        got, go = [0], threading.Event()

        def answer(conn, r):
            go.wait(10)
            while got[0] < size:
                got[0] += len(r.file.read1(1 << 20))
            conn.sendall(OK)
        g.worker.answer = answer
        c = g.client()
        before = g.rss()
        c.send(request("POST / HTTP/1.1", f"Content-Length: {size}"))
        c.s.setblocking(False)
        sent = 0
        piece = b"x" * (1 << 20)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                sent += c.s.send(piece)
        assert sent < 32 << 20, "nobody read it"
        c.s.settimeout(60)
        go.set()
        while sent < size:
            sent += c.s.send(piece[:size - sent])
        assert c.answer().status == 200 and got[0] == size
        assert asan() or g.rss() - before < 700, g.rss() - before
        assert g.log()[0]["bytes_in"] == size


def download():
    size = 300 << 20
    with Gateway() as g:
        sent = [0]

        def answer(conn, r):
            conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                         b"\r\n\r\n")
            piece = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
            while sent[0] < size:
                conn.sendall(piece)
                sent[0] += 1 << 20
            conn.sendall(b"0\r\n\r\n")
        g.worker.answer = answer
        before = g.rss()
        c = g.client().send(GET)
        assert c.head().status == 200
        time.sleep(0.5)
        assert sent[0] < 32 << 20, "nobody read it"
        got = 0
        while True:
            n = int(c.f.readline(), 16)
            got += len(c.f.read(n + 2)) - 2
            if not n:
                break
        assert got == size
        assert asan() or g.rss() - before < 700, g.rss() - before
        assert g.get().status == 200


def many_slow_readers():
    """Answers read ahead of their clients are bounded in all."""
    n = 600
    with Gateway(limit=n) as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000"
                               b"\r\n\r\n" + b"x" * 8000000)
        before = g.rss()
        cs = []
        for i in range(n):  # one by one: so it is the same each time
            cs.append(g.client(rcvbuf=4096).send(GET))
            until(lambda i=i: len(g.worker.seen) > i)
        time.sleep(1)
        # 16 MiB far ahead, 16 KiB for each of the others, and themselves
        assert int(g.figures()["buffers"]) <= n
        assert asan() or g.rss() - before < 38000, g.rss() - before
        for c in cs:
            c.close()
        until(lambda: g.figures()["buffers"] == "0")


def slow_pipeline():
    """Heads are given back before their answers have gone: the log still has
    their names, and what came behind them is served."""
    with Gateway() as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000"
                               b"\r\n\r\n" + b"x" * 3000000)
        asked = [("POST", "/a/%7Eb", "/a/~b", "one"), ("GET", "/c", "/c", "two"),
                 ("PURGE", "/d//e", "/d/e", "three")]
        c = g.client(rcvbuf=4096)
        c.send(b"".join(request(f"{m} {p} HTTP/1.1", f"X-Request-Id: {i}")
                        for m, p, _, i in asked))
        until(lambda: g.worker.seen)
        time.sleep(0.3)
        for _ in asked:
            assert c.head().status == 200
            assert c.f.read(3000000) == b"x" * 3000000
        until(lambda: len(g.log()) == 3)
        assert [(x["method"], x["path"], x["correlation_id"])
                for x in g.log()] == [(m, p, i) for m, _, p, i in asked], g.log()


def per_client():
    with Gateway(max_connections_per_client=3) as g:
        cs = [g.client() for _ in range(3)]
        for c in cs:
            assert c.ask(GET).status == 200
        assert g.client().answer().status == 429
        cs.pop().close()
        until(lambda: g.figures()["clients"] == "2")
        assert g.client().ask(GET).status == 200


def descriptors():
    """Clients over what the descriptors allow wait in the backlog."""
    with Gateway(nofile=64 + 16 + 30, limit=16) as g:
        n = int(g.figures()["clients-max"])
        assert n == 30, n
        cs = [g.client() for _ in range(n + 10)]
        assert cs[0].ask(GET).status == 200
        until(lambda: g.figures()["clients"] == str(n))
        cs[-1].send(GET)
        for c in cs[:20]:
            c.close()
        assert cs[-1].answer().status == 200


# ---- life ------------------------------------------------------------------

def drain():
    gate = threading.Event()
    with Gateway() as g:
        g.worker.answer = lambda conn, r: (gate.wait(10), conn.sendall(OK))[1]
        busy = g.client().send(GET)
        idle = g.client()
        until(lambda: g.worker.seen)
        until(lambda: g.figures()["clients"] == "2")
        route = g.procs["route.0"]
        g.listener.close()
        route.send_signal(signal.SIGTERM)
        until(lambda: "draining" in g.reg("get", "proc", "route.0"))
        try:
            g.client()
            raise AssertionError("it still listens")
        except ConnectionRefusedError:
            pass
        assert idle.ended()
        assert route.poll() is None
        gate.set()
        a = busy.answer()
        assert a.body == b"ok" and a.get("connection") == ["close"]
        assert busy.ended() and route.wait(10) == 0
        assert g.pool.records("bye")


def drain_limit():
    with Gateway(drain_timeout=300) as g:
        g.worker.answer = lambda conn, r: time.sleep(30)
        c, d = g.client().send(GET), g.client().send(GET)
        until(lambda: len(g.worker.seen) == 2)
        g.procs["route.0"].send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert g.procs["route.0"].wait(10) == 0
        assert 0.2 < time.monotonic() - began < 9
        assert c.ended() and d.ended()
    with Gateway() as g:
        g.worker.answer = lambda conn, r: time.sleep(30)
        c = g.client().send(GET)
        until(lambda: g.worker.seen)
        g.procs["route.0"].send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert g.procs["route.0"].poll() is None
        g.procs["route.0"].send_signal(signal.SIGTERM)
        assert g.procs["route.0"].wait(9) == 0 and c.ended()


def slots():
    """Nobody's socket is left without a reader."""
    with Gateway() as g:
        # slot 1 is down: its socket is polled here
        g.procs["route.0"].send_signal(signal.SIGTERM)
        g.procs["route.0"].wait(10)
        other = g.listen(1)
        os.makedirs(f"{g.run}/route.1")
        both = [(g.listener, 0), (other, 1)]
        g.start("route.0", both)
        assert all(g.get().status == 200 for _ in range(30))
        # it comes up: each has its share
        g.start("route.1", both)
        until(lambda: g.reg("ls", "proc", "-t").count("ready") == 2)
        g.heard(max(int(row.split("\t")[1]) for row in
                    g.reg("ls", "proc", "-t").splitlines()))
        cs = [g.client() for _ in range(40)]
        assert all(c.ask(GET).status == 200 for c in cs)
        n = int(g.figures()["clients"])
        assert 5 < n < 35, n
        for c in cs:
            c.close()
        # it is killed: its socket is polled here again
        g.procs["route.1"].kill()
        g.procs["route.1"].wait()
        g.allowed = (-9,)
        until(lambda: "route.1" not in g.reg("ls", "proc", "-t"))
        assert all(g.get().status == 200 for _ in range(30))


def unix_listener():
    with Gateway() as g:
        g.procs["route.0"].send_signal(signal.SIGTERM)
        g.procs["route.0"].wait(10)
        g.extra = (f"unix:{g.run}/in", "127.0.0.2:%d" % g.addr[1])
        g.start()
        a = Client(f"{g.run}/in").ask(GET)
        assert a.status == 200 and a.body == b"ok"
        r = g.worker.seen[0]
        assert r.get("forwarded") == ['for=unknown;host="h";proto=http']
        assert not r.get("x-forwarded-for")
        assert g.log(1)[0]["client"] == "unix"
        assert Client(("127.0.0.2", g.addr[1])).ask(GET).status == 200
        assert g.worker.seen[1].get("x-forwarded-for") == ["127.0.0.1"]


def access_log():
    with Gateway() as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
        g.ask(request("POST /a?secret=1 HTTP/1.1", "X-Request-Id: id1",
                      "Content-Length: 4", body=b"body"))
        line = g.log()[0]
        assert list(line)[:9] == ["level", "timestamp", "message", "method",
                                  "path", "user_id", "status", "latency",
                                  "correlation_id"], line
        assert line["message"] == "access" and line["level"] == "info"
        assert (line["method"], line["path"]) == ("POST", "/a")
        assert (line["user_id"], line["status"]) == ("-", 200)
        assert line["correlation_id"] == "id1"
        assert (line["bytes_in"], line["bytes"]) == (4, 3)
        assert (line["worker"], line["instance"]) == ("w", "w#1")
        assert 0 < line["latency"] < 5 and len(line["timestamp"]) == 24
        a = g.ask(b"nonsense\r\n\r\n")
        line = g.log(2)[1]
        assert (line["level"], line["status"]) == ("warn", 400)
        assert line["bytes"] == len(a.body) > 0, line
        g.client().send(b"HEAD /%2f HTTP/1.1\r\nHost: h\r\n\r\n").head()
        assert g.log(3)[2]["bytes"] == 0


def log_blocked():
    """Nobody reads the log: requests go on, whole lines are dropped."""
    with Gateway() as g:
        g.procs["route.0"].send_signal(signal.SIGTERM)
        g.procs["route.0"].wait(10)
        g.logfile = f"{g.run}/fifo"
        os.mkfifo(g.logfile)
        fd = os.open(g.logfile, os.O_RDWR)
        g.start()
        c = g.client()
        path = "/" + "x" * 7000
        for _ in range(200):
            assert c.ask(request(f"GET {path} HTTP/1.1")).status == 200
        until(lambda: int(g.figures()["log-dropped"]) > 0)
        dropped = int(g.figures()["log-dropped"])
        lines = []
        reader = threading.Thread(
            target=lambda: lines.extend(os.fdopen(fd, "rb")), daemon=True)
        reader.start()
        until(lambda: len(lines) >= 200 - dropped)
        assert c.ask(GET).status == 200
        until(lambda: len(lines) == 201 - dropped)
        assert all(x.startswith(b"{") and x.endswith(b"}\n") for x in lines)


def usage():
    for words, status in ((["-i", "router"], 100), (["-x"], 100),
                          (["nowhere"], 100), (["127.0.0.1:99999"], 100),
                          (["unix:/" + "x" * 120], 100)):
        p = subprocess.run([os.environ["VYX_BUILD"] + "/bin/vyx-route", "-d",
                            os.environ["RUN"], *words], capture_output=True,
                           timeout=10, check=False)
        assert p.returncode == status and p.stderr, (words, p)


if __name__ == "__main__":
    globals()[sys.argv[1]]()

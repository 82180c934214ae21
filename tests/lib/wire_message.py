# SPDX-License-Identifier: ISC
"""HTTP/1.1 messages as RFC 9112 says they are sent, read by a reader of its
own: what a sender may not do is noted in `faults`, nothing is borne.
"""
import re

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# a path in its one form, vyx-route(8), and any query
SEGMENT = r"(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})"
TARGET = re.compile(rf"(?:\*|(?:/{SEGMENT}+)*/?)(\?[!-~]*)?")
HOP = ("keep-alive", "proxy-connection", "proxy-authorization",
       "proxy-authenticate", "http2-settings")
ONCE = ("content-length", "transfer-encoding", "host", "x-request-id", "date")


class Cut(Exception):
    """The other side ended, or fell silent, in mid-message."""


class Stream:
    def __init__(self, sock):
        self.sock, self.buf, self.raw = sock, b"", b""

    def more(self):
        try:
            data = self.sock.recv(65536)
        except TimeoutError as e:
            raise Cut("silence") from e
        except ConnectionError as e:
            raise Cut("reset") from e
        if not data:
            raise Cut("end")
        self.buf += data
        self.raw += data

    def take(self, n):
        got, self.buf = self.buf[:n], self.buf[n:]
        return got

    def line(self):
        while b"\n" not in self.buf:
            self.more()
        return self.take(self.buf.index(b"\n") + 1)

    def exactly(self, n):
        while len(self.buf) < n:
            self.more()
        return self.take(n)

    def rest(self):
        """All until the end; and how that came."""
        while True:
            try:
                self.more()
            except Cut as e:
                return self.take(len(self.buf)), str(e)


class Message:
    """A request (`method`, `target`) or an answer (`status`)."""

    def __init__(self):
        self.line, self.fields, self.trailers = "", [], []
        self.body, self.cut, self.faults = b"", None, []

    def get(self, name):
        """RFC 9110 5.3: lines of one name are one list; None: no line."""
        v = [v for k, v in self.fields if k.lower() == name.lower()]
        return ", ".join(v) if v else None

    def count(self, name):
        return sum(k.lower() == name for k, _ in self.fields)

    def fault(self, bad, what):
        if bad:
            self.faults.append(what)

    # ---- reading ----------------------------------------------------------

    def text(self, stream):
        line = stream.line()
        self.fault(not line.endswith(b"\r\n"), f"bare LF: {line!r}")
        line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
        self.fault(re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line),
                   f"control: {line!r}")
        return line.decode("latin-1")

    def section(self, stream):
        fields = []
        while line := self.text(stream):
            m = re.fullmatch(rf"({TOKEN}): ?(.*)", line)
            self.fault(not m, f"no field: {line!r}")
            fields.append(m.groups() if m else (line, ""))
        return fields

    def chunks(self, stream):
        while True:
            line = self.text(stream)
            self.fault(not re.fullmatch("[0-9A-Fa-f]+", line),
                       f"chunk size: {line!r}")
            size = int(line.split(";")[0], 16)
            if not size:
                break
            self.body += stream.exactly(size)
            self.fault(stream.exactly(2) != b"\r\n", "chunk without CRLF")
        self.trailers = self.section(stream)

    def content(self, stream, until_end):
        te, n = self.get("transfer-encoding"), self.get("content-length")
        self.fault(te and n, "two framings")
        self.fault(te not in (None, "chunked"), f"coding: {te}")
        self.fault(n and not re.fullmatch("0|[1-9][0-9]*", n), f"length: {n}")
        if te:
            self.chunks(stream)
        elif n:
            want = int(n.split(",")[0])
            while len(self.body) < want:
                if not stream.buf:
                    stream.more()
                self.body += stream.take(want - len(self.body))
        elif until_end:
            self.body, how = stream.rest()
            if how != "end":
                raise Cut(how)

    def common(self):
        for name in ONCE:
            self.fault(self.count(name) > 1, f"{name} twice")
        for name in HOP:
            self.fault(self.count(name), f"{name} passed on")


class Request(Message):
    """What a worker got; see `check` for what must be so with each."""

    def head(self, stream):
        """False: the connection ended before it."""
        try:
            self.line = self.text(stream)
        except Cut:
            if stream.buf:
                raise
            return False
        m = re.fullmatch(rf"({TOKEN}) (\S+) HTTP/1\.1", self.line)
        self.fault(not m, f"request line: {self.line!r}")
        self.method, self.target = m.groups() if m else ("", "")
        self.fields = self.section(stream)
        self.check()
        return True

    def check(self):
        self.common()
        m = TARGET.fullmatch(self.target)
        path = self.target.split("?")[0]
        self.fault(not m or re.search(
            "/\\.{1,2}(?:/|$)|%(?:2F|5C|[01].|7F|C[01]"
            "|2D|2E|5F|7E|3[0-9]$|4[1-9A-F]|6[1-9A-F])", path),
            f"not the one form: {self.target}")
        for name in ("Host", "X-Request-Id", "X-Forwarded-For", "Forwarded",
                     "X-Forwarded-Proto", "Via"):
            self.fault(self.get(name) is None, f"no {name}")
        for name in ("x-forwarded-for", "forwarded", "x-forwarded-proto"):
            self.fault(self.count(name) > 1, f"{name} twice")
        for name in ("X-Real-IP", "X-Forwarded-Port"):
            self.fault(self.get(name), f"{name} of the client")
        for name, _ in self.fields:
            self.fault(re.fullmatch(
                "x-(forwarded-.*|real-ip|request-id)|forwarded|host|via|"
                "content-length|transfer-encoding|connection|authorization",
                name.lower().replace("_", "-")) and "_" in name,
                f"alias: {name}")
        self.fault(self.get("Connection") not in
                   (None, "TE", "Upgrade", "TE, Upgrade"),
                   f"Connection: {self.get('Connection')}")
        self.fault(self.get("Upgrade") not in (None, "websocket"),
                   f"Upgrade: {self.get('Upgrade')}")
        self.fault(not re.search(r"(^|, )1\.[01] vyx$", self.get("Via") or ""),
                   "Via does not end with us")


class Answer(Message):
    """What a client got for a request of that method."""

    def read(self, stream, method="GET"):
        self.line = self.text(stream)
        m = re.fullmatch(r"HTTP/1\.1 ([1-5]\d\d) [^\r\n]*", self.line)
        self.fault(not m, f"status line: {self.line!r}")
        self.status = int(m.group(1)) if m else 0
        self.fields = self.section(stream)
        self.common()
        none = self.status < 200 or self.status == 204
        self.fault(none and (self.get("content-length") or
                             self.get("transfer-encoding")),
                   "framing where there is no content")
        if self.status >= 200:
            self.fault(self.get("Date") is None, "no Date")
            self.fault(self.get("X-Request-Id") is None, "no X-Request-Id")
        if not none and self.status != 304 and method != "HEAD":
            try:
                self.content(stream, True)
            except Cut as e:
                self.cut = str(e)
        return self

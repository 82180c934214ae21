# SPDX-License-Identifier: ISC
"""vyx-route between a client and a worker that a test holds in its hands.

vyx-regd and vyx-route are real. The worker is a listening socket here: each
request that reaches it is kept byte by byte in `worker.seen` and answered by
`worker.answer(conn, request)`. vyx-poold is a thread that keeps to its edge:
it dials when told of waiters or of a lack, up to `pool.max`, and notes each
record in `pool.said`.
"""
import array
import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time

BIN = os.path.join(os.environ["VYX_BUILD"], "bin")
WAIT = float(os.environ.get("VYX_WAIT", "10"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def until(what, *args, wait=WAIT):
    end = time.monotonic() + wait
    while time.monotonic() < end:
        got = what(*args)
        if got:
            return got
        time.sleep(0.005)
    raise AssertionError(f"{what} did not come true")


class Request:
    """One that reached the worker."""

    def __init__(self, head, body, conn_no):
        self.head, self.body, self.conn = head, body, conn_no
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:] if line]

    def get(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]


def read_chunked(f):
    body = b""
    while True:
        line = f.readline()
        body += line
        size = int(line, 16)
        if size == 0:
            break
        body += f.read(size + 2)
    while True:
        line = f.readline()
        body += line
        if line in (b"\r\n", b""):
            return body


class Worker:
    """`answer(conn, request)` writes to conn; True: the connection ends."""

    def __init__(self, path, answer=None):
        self.path, self.seen, self.conns = path, [], 0
        self.answer = answer or (lambda conn, request: conn.sendall(OK))
        self.on_accept = None
        self.early = False  # answer before the body is read
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def end(self):
        """No thread is left in accept: the next listener may get the number
        of this one, and lose a connection to it."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(WAIT)
        self.listener.close()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.conns += 1
            threading.Thread(target=self.serve, args=(conn, self.conns),
                             daemon=True).start()

    def read(self, f, no):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = f.readline()
            if not line:
                return None
            head += line
        request = Request(head[:-4], b"", no)
        request.file = f
        if not self.early:
            self.body(request)
        return request

    @staticmethod
    def body(request):
        if request.get("transfer-encoding"):
            request.body = read_chunked(request.file)
        elif request.get("content-length"):
            request.body = request.file.read(
                int(request.get("content-length")[0]))

    def serve(self, conn, no):
        with contextlib.suppress(OSError, ValueError), conn:
            if self.on_accept and self.on_accept(conn, no):
                return
            f = conn.makefile("rb")
            while (request := self.read(f, no)) is not None:
                self.seen.append(request)
                if self.answer(conn, request):
                    conn.shutdown(socket.SHUT_RDWR)
                    return


class Pool:
    """The listening side of the edge, enough of it for one instance."""

    def __init__(self, run, worker, low=0, limit=16):
        self.worker, self.low, self.max = worker, low, limit
        self.said, self.peers = [], {}
        self.held = {}  # number of a connection: our copy
        self.next, self.up, self.lock = 1, 1, threading.Lock()
        self.lingering = []
        os.makedirs(f"{run}/pool", exist_ok=True)
        self.path = f"{run}/pool/s"
        self.listener = None
        self.waiting = {}
        self.begin()

    def begin(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, args=(self.listener,),
                         daemon=True).start()

    def end(self):
        """As if vyx-poold were killed."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in list(self.peers.values()):
            peer.shutdown(socket.SHUT_RDWR)
            peer.close()
        self.peers.clear()
        for s in self.held.values():
            s.close()
        self.held.clear()

    def accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def say(self, peer, verb, fd=None, **fields):
        text = verb + "\n" + "".join(
            f"{k.replace('_', '-')}={v}\n" for k, v in fields.items()) + "\n"
        anc = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                      array.array("i", [fd]))]
        peer.sendmsg([text.encode()], anc)

    def window(self, peer):
        self.say(peer, "window", w="w", up=self.up, low=self.low,
                 idle_ms=30000, tunnels=2)

    def push(self, peer):
        """Dial one and lend it."""
        with self.lock:
            if len(self.held) >= self.max:
                return False
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(self.worker.path)
            except OSError:
                return False
            c, self.next = self.next, self.next + 1
            self.held[c] = s
            self.say(peer, "conn", fd=s.fileno(), c=c, i="w#1", w="w")
            return True

    def feed(self, peer):
        want = self.waiting.get(peer, 0)
        while want and self.push(peer):
            want -= 1

    def serve(self, peer):
        with contextlib.suppress(OSError):
            while True:
                data, anc, _, _ = peer.recvmsg(8192, socket.CMSG_SPACE(4))
                for level, kind, raw in anc:
                    fds = array.array("i")
                    fds.frombytes(raw[:len(raw) - len(raw) % 4])
                    for fd in fds:
                        os.close(fd)
                if not data:
                    break
                self.record(peer, data.decode().rstrip("\n").split("\n"))

    def record(self, peer, lines):
        f = {}
        for line in lines[1:]:
            k, v = line.split("=", 1)
            f.setdefault(k, v)
        self.said.append((lines[0], f))
        if lines[0] == "hello":
            self.say(peer, "hello", proto=1, name="pool")
            self.window(peer)
            self.peers[f["pid"]] = peer
        elif lines[0] == "need":
            lack = sum(int(line.rsplit(":", 1)[1]) for line in lines
                       if line.startswith("lack="))
            self.waiting[peer] = int(f["waiting"]) + lack
            self.feed(peer)
        elif lines[0] in ("drop", "give"):
            s = self.held.pop(int(f["c"]), None)
            if s and f.get("why") == "abort":
                self.lingering.append(s)
            elif s:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
                s.close()
            self.feed(peer)

    def records(self, verb):
        return [f for v, f in self.said if v == verb]


class Client:
    """A raw connection to the gateway."""

    def __init__(self, addr, rcvbuf=None):
        self.s = socket.socket(
            socket.AF_UNIX if isinstance(addr, str) else socket.AF_INET)
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.settimeout(WAIT)
        self.s.connect(addr)
        self.f = self.s.makefile("rb")

    def send(self, data):
        self.s.sendall(data)
        return self

    def head(self):
        lines = []
        while (line := self.f.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        if not lines:
            return None
        a = Answer()
        a.line = lines[0]
        a.status = int(lines[0].split(" ")[1])
        a.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        return a

    def answer(self, method="GET"):
        """The next one, with its body; None: the connection ended."""
        a = self.head()
        if a is None:
            return None
        a.body, a.raw = b"", b""
        if method == "HEAD" or a.status < 200 or a.status in (204, 304):
            return a
        if a.get("transfer-encoding"):
            a.raw = read_chunked(self.f)
            rest = a.raw
            while True:
                size, rest = rest.split(b"\r\n", 1)
                if int(size, 16) == 0:
                    break
                a.body += rest[:int(size, 16)]
                rest = rest[int(size, 16) + 2:]
        elif a.get("content-length"):
            a.body = self.f.read(int(a.get("content-length")[0]))
        else:
            a.body = self.f.read()
        return a

    def ask(self, data, method="GET"):
        return self.send(data).answer(method)

    def ended(self):
        """Nothing more comes, and the connection is closed."""
        try:
            return self.f.read() == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.f.close()
        self.s.close()


class Answer:
    def get(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]

    def error(self):
        assert self.get("content-type") == ["application/json"], self.fields
        return json.loads(self.body)["error"]


class Gateway:
    """with Gateway(settings) as g: g.client(), g.worker, g.pool, g.log()"""

    begin_worker = staticmethod(Worker)

    def __init__(self, *, routes=(("r1", "*", "/*rest"),), low=0, limit=16,
                 regd=True, pool=True, nofile=None, worker=None, extra=(),
                 env=None, keys=None, schemas=None, **settings):
        self.routes, self.settings, self.low = routes, settings, low
        self.keys, self.schemas = keys or {}, schemas or {}
        self.limit, self.with_regd, self.with_pool = limit, regd, pool
        self.nofile, self.worker_row, self.extra = nofile, worker or {}, extra
        self.env = env or {}
        self.run = tempfile.mkdtemp(prefix="vyx.", dir="/tmp")
        self.procs, self.logfile = {}, f"{self.run}/access"

    def spawn(self, name, *argv, **kw):
        r, w = os.pipe()
        err = open(f"{self.run}/{name}.err", "ab")
        p = subprocess.Popen([f"{BIN}/{argv[0]}", "-d", self.run, "-n", str(w),
                              *argv[1:]], pass_fds=(w, *kw.pop("fds", ())),
                             stderr=err, stdin=subprocess.DEVNULL, **kw)
        os.close(w)
        self.procs[name] = p
        return p, r

    @staticmethod
    def ready(r):
        with os.fdopen(r, "rb") as f:
            return f.read(1) == b"\n"

    def reg(self, *words):
        out = subprocess.run([f"{BIN}/vyx-reg", "-d", self.run, *words],
                             capture_output=True, text=True, timeout=WAIT)
        assert out.returncode == 0, (words, out.stderr)
        return out.stdout

    def heard(self, rev):
        """The router has that revision."""
        until(lambda: int(self.figures()["revision"]) >= int(rev))

    def rows(self):
        for k, v in self.settings.items():
            block = "security" if k in ("payload_max_size", "global_timeout") \
                else "gateway"
            self.reg("put", "setting", f"{block}.{k}", f"value={v}")
        for k, v in self.keys.items():
            self.reg("put", "setting", k, f"value={v}")
        for name, text in self.schemas.items():
            self.reg("put", "schema", name, "sha256=0", f"text={text}")
        row = {"min-idle": 2, "max-size": self.limit, "wait-ms": 10000,
               "max-waiting": 1024, "strategy": "round-robin",
               "replicas": 1, **self.worker_row}
        self.reg("put", "worker", "w", *(f"{k}={v}" for k, v in row.items()))
        self.reg("put", "endpoint", "w#1", "worker=w", "state=up",
                 f"path={self.run}/w.sock", "source=test")
        for key, method, path, *more in self.routes:
            self.reg("put", "route", key, *(f"method={m}" for m in
                                            method.split()),
                     f"path={path}", "worker=w", *more)

    def listen(self, slot=0):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", 0 if slot == 0 else self.addr[1]))
        s.listen(128)
        s.set_inheritable(True)
        return s

    def __enter__(self):
        os.makedirs(f"{self.run}/route.0")
        self.worker = self.begin_worker(f"{self.run}/w.sock")
        self.pool = Pool(self.run, self.worker, self.low,
                         self.limit) if self.with_pool else None
        if self.with_regd:
            assert self.ready(self.spawn("regd", "vyx-regd", "-s",
                                         f"{self.run}/state")[1])
            self.rows()
        self.listener = self.listen()
        self.addr = self.listener.getsockname()
        self.start()
        return self

    def start(self, name="route.0", listeners=None):
        listeners = listeners or [(self.listener, 0)]
        words = " ".join(f"{s.fileno()}:{slot}:127.0.0.1:{self.addr[1]}"
                         for s, slot in listeners)

        def limits():
            if self.nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (self.nofile, self.nofile))
        p, r = self.spawn(name, "vyx-route", "-i", name, *self.extra,
                          stdout=open(self.logfile, "ab"), preexec_fn=limits,
                          fds=[s.fileno() for s, _ in listeners],
                          env={**os.environ, "VYX_LISTEN": words, **self.env})
        assert self.ready(r), self.err(name)
        return p

    def err(self, name="route.0"):
        with open(f"{self.run}/{name}.err", encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def __exit__(self, kind, value, trace):
        bad = []
        for name, p in reversed(list(self.procs.items())):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(WAIT)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
                    bad.append(f"{name} did not stop")
            text = self.err(name)
            if p.returncode != 0 and p.returncode not in getattr(
                    self, "allowed", ()):
                bad.append(f"{name} ended with {p.returncode}")
            if "Sanitizer" in text or "runtime error" in text:
                bad.append(text)
        if self.worker:
            self.worker.end()
        if kind:
            print(self.err())
        subprocess.run(["rm", "-rf", self.run], check=True)
        assert kind or not bad, "\n".join(bad)

    def client(self, **kw):
        return Client(self.addr, **kw)

    def ask(self, data, method="GET"):
        c = self.client()
        a = c.ask(data, method)
        c.close()
        return a

    def get(self, path="/", *fields):
        more = "".join(f"{f}\r\n" for f in fields)
        return self.ask(
            f"GET {path} HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode("latin-1"))

    def log(self, n=1):
        """The access log, once it has n lines."""
        def lines():
            with open(self.logfile, encoding="utf-8") as f:
                got = f.read().splitlines()
            return got if len(got) >= n else None
        return [json.loads(line) for line in until(lines)]

    def stat(self):
        """(name, of which row, value) of each figure"""
        s = socket.socket(socket.AF_UNIX)
        s.connect(f"{self.run}/route.0/ctl")
        s.sendall(b"stat\n\n")
        data = b""
        while not data.endswith(b"end\n\n"):
            data += s.recv(65536)
        s.close()
        for rec in data.decode().split("\n\n"):
            f = dict(line.split("=", 1) for line in rec.split("\n")[1:]
                     if "=" in line)
            if "name" in f:
                yield f["name"], f.get("key", ""), f["value"]

    def figures(self):
        return {name: value for name, _, value in self.stat()}

    def rss(self):
        with open(f"/proc/{self.procs['route.0'].pid}/status",
                  encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

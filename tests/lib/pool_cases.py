# SPDX-License-Identifier: ISC
"""Cases of vyx-poold.bats: routers played by hand on RUN/pool/s.

pool_cases.py NAME runs one against the vyx-poold, vyx-regd and worker `w`
(instance w#1, socket RUN/w.s, max 4, warm 2, explicit) that the bats file has
started. It exits 0 if all was as the protocol says.
"""
import array
import os
import signal
import socket
import subprocess
import sys
import time

RUN = os.environ["RUN"]
WAIT = float(os.environ.get("VYX_WAIT", "10"))


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def until(what, limit=WAIT, tell=""):
    end = time.monotonic() + limit
    while not what():
        assert time.monotonic() < end, tell or "waited too long"
        time.sleep(0.01)


def opened():
    """Connections to the worker, as the kernel has them."""
    with open("/proc/net/unix") as f:
        rows = [r.split() for r in f]
    return sum(len(r) == 8 and r[7] == RUN + "/w.s" and r[5] == "03"
               for r in rows)


def rows(*words):
    subprocess.run(["vyx-reg", *words], check=True, timeout=WAIT,
                   stdout=subprocess.DEVNULL)


def endpoint(state, path=None, key="w#1"):
    rows("put", "endpoint", key, "worker=w", "source=superv",
         f"path={path or RUN + '/w.s'}", "kind=local", "max=4", "tunnels=2",
         "warm=2", "state=" + state)


def stat():
    out = {}
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(WAIT)
        s.connect(RUN + "/pool/ctl")
        s.sendall(b"stat\n\n")
        text = ""
        while not text.endswith("end\n\n"):
            text += s.recv(65536).decode()
    for rec in text.split("\n\n"):
        f = dict(x.split("=", 1) for x in rec.split("\n") if "=" in x)
        if "name" in f:
            out[f["name"]] = f["value"]
    return out


def kill(pid):
    """SIGKILL, and until its sockets are closed: it is a zombie then."""
    def gone():
        try:
            with open(f"/proc/{pid}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True
    os.kill(int(pid), signal.SIGKILL)
    until(gone)


class Router:
    def __init__(self, name, role="route", hello=True, held=True):
        end = time.monotonic() + WAIT
        while True:
            self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.s.connect(RUN + "/pool/s")
                break
            except OSError:
                self.s.close()
                assert time.monotonic() < end, "vyx-poold is away"
                time.sleep(0.01)
        self.fds = {}  # of the loans, by number
        self.got = []  # (verb, fields)
        self.ended = False
        if hello:
            self.say("hello", proto=1, role=role, name=name, pid=os.getpid())
        if hello and held:
            self.say("held", n=0)

    def say(self, verb, fd=None, **f):
        lines = [verb]
        for k, v in f.items():
            k = k.replace("_", "-")
            lines += [f"{k}={x}" for x in (v if isinstance(v, list) else [v])]
        self.packet("\n".join(lines).encode() + b"\n\n", fd)

    def packet(self, data, fd=None):
        anc = []
        if fd is not None:
            anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                    array.array("i", [fd]))]
        self.s.sendmsg([data], anc)

    def read(self, limit):
        """Take in what comes until `limit` seconds are over or it ended."""
        self.s.settimeout(max(limit, 0.001))
        try:
            data, anc, _, _ = self.s.recvmsg(8192, 64)
        except (TimeoutError, BlockingIOError):
            return
        except ConnectionError:
            data, anc = b"", []
        if not data:
            self.ended = True
            return
        verb, *rest = data.decode().rstrip("\n").split("\n")
        f = dict(x.split("=", 1) for x in rest)
        fds = array.array("i")
        for _, _, raw in anc:
            fds.frombytes(raw)
        assert len(fds) == (verb == "conn"), (verb, len(fds))
        if fds:
            self.fds[f["c"]] = socket.socket(fileno=fds[0])
        self.got.append((verb, f))

    def want(self, verb, limit=WAIT, **f):
        """The next record of that verb with these fields."""
        end = time.monotonic() + limit
        while True:
            for k, (v, g) in enumerate(self.got):
                if v == verb and all(g.get(x) == str(y)
                                     for x, y in f.items()):
                    del self.got[k]
                    return g
            assert time.monotonic() < end, f"no {verb} {f}: {self.got}"
            assert not self.ended, f"closed; no {verb} {f}: {self.got}"
            self.read(end - time.monotonic())

    def none(self, verb, limit=0.3):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            self.read(end - time.monotonic())
        assert all(v != verb for v, _ in self.got), self.got

    def need(self, waiting, since=None, lack=None):
        self.say("need", w="w", waiting=waiting, since=since or now(),
                 lack=lack or [])

    def conns(self, n):
        self.need(n)
        return [self.want("conn")["c"] for _ in range(n)]

    def give(self, c):
        self.fds.pop(c).close()
        self.say("give", c=c)

    def drop(self, c, why, how=socket.SHUT_RDWR):
        self.fds[c].shutdown(how)
        self.fds.pop(c).close()
        self.say("drop", c=c, why=why)

    def ask(self, c, path="/hello"):
        s = self.fds[c]
        s.setblocking(True)
        s.settimeout(WAIT)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: w\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(65536)
        head, body = got.split(b"\r\n\r\n", 1)
        n = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < n:
            body += s.recv(65536)
        s.setblocking(False)
        return head.split(b" ")[1]

    def end(self, limit=WAIT):
        until(lambda: (self.read(0.05), self.ended)[1], limit, "not closed")


def warm():
    """min_idle are there without a router, then lent, then refilled."""
    until(lambda: opened() == 2)
    a = Router("route.0")
    a.want("hello", name="vyx-poold")
    a.want("window", w="w", up=1, low=2)
    a.need(0, lack=["w#1:2"])
    one, two = a.want("conn")["c"], a.want("conn")["c"]
    assert int(one) < int(two)
    assert a.ask(one) == b"200" and a.ask(one) == b"200"
    assert opened() == 2
    a.need(0, lack=["w#1:1"])
    a.want("conn", w="w", i="w#1")
    until(lambda: opened() == 3)


def cap():
    """Over all routers together max are open, and no waiter is forgotten."""
    a, b = Router("route.0"), Router("route.1")
    a.need(10)
    first = [a.want("conn")["c"] for _ in range(4)]
    b.need(1)
    b.none("conn")
    assert opened() == 4
    a.drop(first[0], "close")
    a.want("conn")  # its waiters came first
    a.need(0)
    a.drop(first[1], "close")
    b.want("conn")
    until(lambda: opened() == 4)


def recall():
    """Idle in one router, waiting in the other: called back, handed on."""
    a, b = Router("route.0"), Router("route.1")
    have = a.conns(4)
    a.need(0)
    since = now()
    b.need(1, since=since)
    a.want("recall", w="w", n=1, before=since)
    a.give(have[0])
    got = b.want("conn")
    assert got["c"] == have[0], "not the one that was given"
    assert b.ask(have[0]) == b"200"
    b.need(0)
    a.want("recall", w="w", n=0)


def fifo():
    """The oldest request goes first, whoever has it."""
    a, b, c = Router("route.0"), Router("route.1"), Router("route.2")
    have = c.conns(4)
    c.need(0)
    t = now()
    a.need(1, since=t)
    b.need(1, since=t - 1)
    until(lambda: stat()["waiting"] == "2")
    c.give(have[0])
    b.want("conn")
    a.none("conn")
    b.need(0)
    c.give(have[1])
    a.want("conn")


def cancel():
    """A waiter that left gets nothing."""
    a, b = Router("route.0"), Router("route.1")
    have = a.conns(4)
    a.need(0)
    b.need(1)
    a.want("recall", n=1)
    b.need(0)
    a.want("recall", n=0)
    a.give(have[0])
    b.none("conn")


def router_dies():
    """Its loans end at once; all of its budget is there for others."""
    a, b = Router("route.0"), Router("route.1")
    kept = a.conns(4)
    dup = a.fds[kept[0]].dup()
    b.need(4)
    b.none("conn", 0.1)
    a.s.close()
    for _ in range(4):
        b.want("conn")
    # ended by shutdown: a descriptor that lives on is of no use
    dup.settimeout(WAIT)
    assert dup.recv(1) == b""
    until(lambda: opened() == 4)


def wrong():
    """Each breach ends that peer and its loans, and nobody else."""
    good = Router("route.9")
    mine = good.conns(1)[0]
    good.need(0)

    def breach(what, act, **how):
        bad = Router("route.8", **how)
        if how.get("hello", True) and how.get("held", True):
            c = bad.conns(1)[0]
            act(bad, c)
            dup = bad.fds.get(c)
        else:
            act(bad, None)
            dup = None
        try:
            bad.end()
        except AssertionError as e:
            raise AssertionError("not refused: " + what) from e
        if dup:
            dup.settimeout(WAIT)
            assert dup.recv(1) == b"", "loan lives: " + what
        assert good.ask(mine) == b"200", what

    with open("/dev/null") as null:
        n = null.fileno()
        breach("bytes", lambda r, c: r.packet(b"\0\1\2garbage"))
        breach("no end", lambda r, c: r.packet(b"bye\n"))
        breach("two in one", lambda r, c: r.packet(b"bye\n\nbye\n\n"))
        breach("8 KiB", lambda r, c: r.packet(
            b"give\nc=1\n" + b"x=" + b"y" * 8200 + b"\n\n"))
        breach("verb", lambda r, c: r.say("frobnicate"))
        breach("poold's verb", lambda r, c: r.say("void", i="w#1", below=1))
        breach("field", lambda r, c: r.say("give"))
        breach("number", lambda r, c: r.say("give", c="0x1"))
        breach("word", lambda r, c: r.say("drop", c=c, why="boredom"))
        breach("lack", lambda r, c: r.need(0, lack=["w#1"]))
        breach("another's", lambda r, c: r.say("give", c=mine))
        breach("nobody's", lambda r, c: r.say("drop", c=1, why="eof"))
        breach("hello", lambda r, c: r.say(
            "hello", proto=1, role="route", name="x", pid=1))
        breach("held", lambda r, c: r.say("held", n=0))
        breach("fd", lambda r, c: r.say("give", c=c, fd=n))
        breach("hold", lambda r, c: r.say(
            "hold", c=mine and 1 << 62, i="w#1", state="idle", fd=n))
        breach("early", lambda r, c: r.need(1), held=False)
        breach("no hello", lambda r, c: r.say("held", n=0), hello=False)
        breach("role", lambda r, c: r.say(
            "hello", proto=1, role="king", name="x", pid=1), hello=False)
    assert good.ask(mine) == b"200"


def lost():
    """A descriptor that did not arrive: the connection is lent again."""
    a = Router("route.0")
    c = a.conns(1)[0]
    a.fds.pop(c).close()
    t = time.monotonic()
    a.say("lost", c=c)
    a.need(1)
    assert a.want("conn")["c"] == c
    assert time.monotonic() - t > 0.09, "not paused"
    assert a.ask(c) == b"200"


def abort():
    """Half-closed, it counts until the worker lets go."""
    a = Router("route.0")
    have = a.conns(4)
    a.need(0)
    s = a.fds[have[0]]
    t = time.monotonic()
    s.sendall(b"GET /sleep/700 HTTP/1.1\r\nHost: w\r\n\r\n")
    a.drop(have[0], "abort", socket.SHUT_WR)
    a.need(1)
    a.want("conn")
    assert time.monotonic() - t > 0.3, "handed out before it was free"
    until(lambda: opened() == 4)


def restart():
    """A new poold takes over what is held, counts it, dials nothing more."""
    a = Router("route.0")
    have = a.conns(3)
    a.need(0)
    kill(sys.argv[2])
    a.end()
    b = Router("route.0", held=False)
    for c in have:
        b.fds[c] = a.fds[c]
        b.say("hold", c=c, i="w#1", state="busy", fd=a.fds[c].fileno())
    b.say("held", n=3)
    assert b.ask(have[0]) == b"200"
    b.need(9)
    new = b.want("conn")["c"]
    assert int(new) > max(map(int, have)), "a number given twice"
    b.none("conn")
    assert opened() == 4
    b.drop(have[1], "close")
    b.want("conn")
    until(lambda: opened() == 4)


def surplus():
    """Held over max: adopted, then the lowest are void."""
    a = Router("route.0")
    have = a.conns(4)
    a.need(0)
    kill(sys.argv[2])
    a.end()
    late = Router("route.1")  # gets its share before route.0 is back
    late.conns(2)
    late.need(0)
    b = Router("route.0", held=False)
    for c in have:
        b.say("hold", c=c, i="w#1", state="idle", fd=a.fds[c].fileno())
    b.say("held", n=4)
    while int(b.want("void", i="w#1")["below"]) <= int(have[1]):
        pass
    b.none("void")


def worker_dies():
    """Idle ones of a worker that went are never lent."""
    until(lambda: opened() == 2)
    a = Router("route.0")
    a.want("window", up=1)
    kill(sys.argv[3])
    until(lambda: opened() == 0)
    a.need(1)
    a.want("window", up=0)
    os.unlink(RUN + "/w.s")
    again = subprocess.Popen(["vyx-hello", RUN + "/w.s"])
    try:
        a.want("window", up=1)
        assert a.ask(a.want("conn")["c"]) == b"200"
    finally:
        again.kill()
        again.wait()


def drain():
    """A draining instance: void for routers, told to regd when empty."""
    a = Router("route.0")
    have = a.conns(2)
    a.need(0)
    endpoint("draining")
    below = int(a.want("void", i="w#1")["below"])
    assert below > int(have[1])
    a.drop(have[0], "void")
    assert not drained()
    a.give(have[1])
    until(drained)
    until(lambda: opened() == 0)
    a.need(1)
    a.none("conn")


def drained():
    out = subprocess.run(["vyx-reg", "get", "use", "w#1", "-j"],
                         stdout=subprocess.PIPE, timeout=WAIT)
    return b'"drained":1' in out.stdout.replace(b" ", b"")


def tunnel():
    """Upgraded ones count apart, as many as may."""
    a = Router("route.0")
    have = a.conns(4)
    a.need(0)
    for c in have[:3]:  # tunnels=2: the third counts as a connection
        a.say("tunnel", c=c)
    a.need(4)
    for _ in range(2):
        a.want("conn")
    a.none("conn")
    assert opened() == 6
    a.drop(have[0], "close")  # the third tunnel takes that place
    a.want("conn")
    until(lambda: opened() == 6)


def classes():
    """Closes twice: nothing is kept ahead; keeps three times: again."""
    a = Router("route.0")
    a.want("window", low=2)
    a.got.clear()  # one from before `held`, perhaps
    a.say("says", i="w#1", keeps=0)
    a.none("window", 0.1)
    a.say("says", i="w#1", keeps=0)
    a.want("window", low=0)
    until(lambda: stat()["class"] == "oneshot")
    for _ in range(3):
        a.say("says", i="w#1", keeps=1)
    a.want("window", low=2)


def stuck():
    """A request without an answer: older ones are void, but not at once
    again."""
    a, b = Router("route.0"), Router("route.1")
    old = a.conns(1)[0]
    a.need(0)
    new = b.conns(1)[0]
    b.need(0)
    b.say("stuck", c=new, byte=0)
    assert a.want("void", i="w#1")["below"] == new
    a.drop(old, "void")
    b.say("stuck", c=new, byte=1)
    b.say("stuck", c=new, byte=0)
    a.none("void", 0.15)


def many():
    """A 65th peer is not let in; the others go on."""
    peers = [Router(f"route.{k}") for k in range(64)]
    over = Router("route.64", hello=False)  # it may be out before it greets
    over.end()
    assert peers[63].ask(peers[63].conns(1)[0]) == b"200"


globals()[sys.argv[1]]()

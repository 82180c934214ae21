# SPDX-License-Identifier: ISC
"""mixed.py N - N requests, good and bad, by turns over a few connections.

vyx-regd, vyx-poold, vyx-route and vyx-hello are real. A tenth of the same mix
comes first; what that leaves is what the programs keep to work with. The rule
for N more: each status comes as often as it was asked for, `stat` counts the
same, and of vyx-route, vyx-poold and vyx-regd

  descriptors  are as many as before
  memory       (VmRSS) has grown by SLACK KiB at most
"""
import collections
import os
import random
import re
import subprocess
import sys
import threading
import time

from gateway import BIN, Client, Gateway, until
from policy_cases import GREET, SECRET, post, token
from route_cases import asan

SLACK = 512
CLIENTS = 4
ROUTES = (
    ("hello", "GET", "/hello"), ("echo", "POST", "/echo"),
    ("bytes", "GET", "/bytes/:n"), ("trailers", "GET", "/trailers"),
    ("sleep", "GET", "/sleep/:ms"), ("ws", "WS", "/ws"),
    ("headers", "GET", "/headers", "role=user"),
    ("checked", "POST", "/checked", "validate=greet"),
    ("dies", "*", "/reset", "policy=none"), ("half", "*", "/half",
                                             "policy=none"),
    ("shut", "*", "/fail/:status"),
    ("never", "GET", "/count", "limits=per-ip=0"),
)
ECHO = "Vyx-Hello: /echo"


def get(path, *fields, method="GET"):
    return "".join(f"{f}\r\n" for f in (
        f"{method} {path} HTTP/1.1", "Host: h", *fields, "")).encode()


def chunked(path, *pieces, end=b"0\r\n\r\n"):
    return get(path, "Transfer-Encoding: chunked", method="POST") + \
        b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + end


USER = "Authorization: Bearer " + token(sub="u", roles=["user"],
                                        exp=int(time.time()) + 3600)
OTHER = "Authorization: Bearer " + token(sub="u", roles=["other"],
                                         exp=int(time.time()) + 3600)
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket",
           "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: k")
FORGED = USER[:-4] + "AAAA"

# (the statuses that must come, the bytes)
ASKED = [
    ([200], get("/hello")),
    ([200], get("/headers", USER)),
    ([200], get("/bytes/100000")),
    ([200], get("/trailers", "TE: trailers", "Connection: TE")),
    ([200], post("/echo", "x" * 300)),
    ([200], post("/echo", "x" * 90000)),
    ([200], chunked("/echo", b"one", b"x" * 5000)),
    ([200], post("/checked", '{"name":"Bo"}', ECHO)),
    ([200, 404, 200, 401], get("/hello") + get("/no") + get("/hello") +
     get("/headers")),
    ([404], get("/nowhere/at/all")),
    ([405], post("/hello", "x")),
    ([405], get("/hello", method="TRACE")),
    ([401], get("/headers")),
    ([401], get("/headers", FORGED)),
    ([401], get("/headers", "Authorization: Bearer rubbish")),
    ([401], get("/headers", USER, USER)),
    ([403], get("/headers", OTHER)),
    ([426], get("/ws")),
    ([429], get("/count")),
    ([413], get("/echo", "Content-Length: 999999999", method="POST")),
    ([413], chunked("/checked", b"x" * 200001)),
    ([414], get("/" + "x" * 9000)),
    ([431], get("/hello", "X-Long: " + "x" * 20000)),
    ([400], b"GET /hello HTTP/1.1\r\n\r\n"),
    ([400], get("/hello", "Host: twice")),
    ([400], get("/hello", "Bad Name: x")),
    ([400], get("/%zz")),
    ([400], get("/echo", "Content-Length: 3", "Content-Length: 4",
                method="POST")),
    ([400], get("/echo", "Content-Length: 3", "Transfer-Encoding: chunked",
                method="POST")),
    ([400], chunked("/echo", b"x", end=b"zz\r\n")),
    ([400], chunked("/checked", b"{", end=b"zz\r\n")),
    ([400], post("/checked", '{"name":1,"more":2}')),
    ([400], post("/checked", '{"name":')),
    ([400], post("/checked", "[" * 5000)),
    ([400], chunked("/checked", b'{"name"', b":0}")),
    ([502], post("/reset", "x")),
    ([503], get("/fail/500")),
]


def ended(a):
    return a is None or a.get("connection") == ["close"]


class Mix:
    def __init__(self, g):
        self.g, self.count, self.lock = g, collections.Counter(), \
            threading.Lock()
        self.wrong = []

    def note(self, *words):
        with self.lock:
            self.count.update(words)

    def ask(self, c, want, data):
        """On c, or a new one when there is none; what is left of it."""
        c = c or self.g.client()
        try:
            c.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while it was sent
        for status in want:
            a = c.answer(data.split(b" ", 1)[0].decode())
            if not a or a.status != status:
                self.wrong.append((data[:80], status, a and a.line))
                c.close()
                return None
            self.note(status)
        if ended(a):
            c.close()
            return None
        return c

    def tunnel(self):
        c = self.g.client()
        a = c.ask(get("/ws", *UPGRADE) + b"first")
        assert a.status == 101, a.line
        c.send(b"more")
        assert c.f.read(9) == b"firstmore"
        c.close()
        self.note(101)

    def half(self):
        """The worker ends in mid-answer: so does ours."""
        c = self.g.client()
        c.send(get("/half"))
        assert c.head().status == 200
        assert not c.f.read().endswith(b"\r\n0\r\n\r\n")
        c.close()
        self.note(200, "cut")

    def gone(self, data):
        c = self.g.client().send(data)
        c.close()
        self.note(499)

    def one(self, c, kind):
        if kind < len(ASKED):
            return self.ask(c, *ASKED[kind])
        kind -= len(ASKED)
        if kind == 0:
            self.tunnel()
        elif kind == 1:
            self.half()
        else:
            self.gone((get("/sleep/300"), get("/hello")[:-9],
                       post("/echo", "x" * 900)[:-80],
                       post("/checked", "{}" * 40000)[:-9])[kind - 2])
        return c

    def client(self, turn):
        c, rng = None, random.Random(turn[0])
        rng.shuffle(turn[1])
        for kind in turn[1]:
            c = self.one(c, kind)
            if len(self.wrong) > 5:
                return
        if c:
            c.close()

    def run(self, n):
        """About n, in whole rounds of all kinds; how many came of it."""
        kinds = len(ASKED) + 6
        each = sum(len(want) for want, _ in ASKED) + 6
        rounds = max(1, n // each // CLIENTS)
        self.count.clear()
        threads = [threading.Thread(target=self.client, args=(
            (i, list(range(kinds)) * rounds),)) for i in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not self.wrong, self.wrong
        total = sum(v for k, v in self.count.items() if k != "cut")
        assert total == each * rounds * CLIENTS, (total, self.count)
        return total


class Tree(Gateway):
    """With a real pool and a real worker."""

    def begin_worker(self, path):
        with open(f"{self.run}/hello.err", "wb") as err:
            self.procs["hello"] = subprocess.Popen(
                [f"{BIN}/vyx-hello", path], stderr=err)
        until(os.path.exists, path)

    def rows(self):
        super().rows()
        self.reg("put", "worker", "w", "command=x", "replicas=1", "min-idle=4",
                 "min-idle-explicit=1", f"max-size={self.limit}",
                 "idle-ms=1000", "tunnels=8", "wait-ms=10000",
                 "max-waiting=1024", "strategy=round-robin")
        self.reg("put", "endpoint", "w#1", "worker=w", "source=superv",
                 f"path={self.run}/w.sock", "kind=local", "state=up",
                 f"max={self.limit}", "tunnels=8", "warm=4")

    def pids(self):
        return {name: self.procs[name].pid for name in
                ("route.0", "pool", "regd")}

    def fds(self):
        return {name: len(os.listdir(f"/proc/{pid}/fd"))
                for name, pid in self.pids().items()}

    def memory(self):
        got = {}
        for name, pid in self.pids().items():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                got[name] = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
        return got

    def quiet(self):
        """Nobody is there, and the pool has what it keeps idle."""
        f = self.figures()
        return f["clients"] == "0" and f["busy"] == f["tunnels"] == "0" and \
            f["idle"] == "4"


def at_rest(g):
    """The descriptors there are when nobody asks for anything: what is seen
    most often, as idle connections are replaced now and then."""
    until(g.quiet)
    time.sleep(1.2)  # connections over what is kept idle are closed
    seen = collections.Counter()
    for _ in range(40):
        time.sleep(0.03)
        seen[tuple(sorted(g.fds().items()))] += 1
    return dict(seen.most_common(1)[0][0])


def classes(f):
    return [int(f[f"answers-{i}xx"]) for i in range(1, 6)]


def sums(count):
    """What `stat` must say of them."""
    by = [sum(v for k, v in count.items() if isinstance(k, int) and
              k // 100 == i) for i in range(1, 6)]
    return {"answers": by, "limited": count[429], "forbidden": count[403],
            "unauthorized": count[401], "shut": count[503],
            "upgrades": count[101], "aborted": count[499] + count["cut"]}


def main(n):
    with Tree(routes=ROUTES, schemas={"greet": GREET}, pool=False, low=2,
              env={"JWT_SECRET": SECRET}, payload_max_size=200000,
              keys={"security.circuit_breaker.cooldown": 3600000}) as g:
        os.makedirs(f"{g.run}/pool")
        assert g.ready(g.spawn("pool", "vyx-poold")[1])
        until(lambda: g.get("/hello").status == 200)
        fds = at_rest(g)
        for _ in range(5):
            assert g.get("/fail/500").status == 500
        mix = Mix(g)
        mix.run(max(n // 10, 1000))
        assert at_rest(g) == fds
        f, memory = g.figures(), g.memory()
        done = mix.run(n)
        assert at_rest(g) == fds
        now, want = g.figures(), sums(mix.count)
        got = {k: int(now[k]) - int(f[k]) for k in want if k != "answers"}
        got["answers"] = [b - a for a, b in zip(classes(f), classes(now))]
        print(f"# {done} requests: {got}")
        print(f"# memory {memory}, then {g.memory()}; descriptors {g.fds()}")
        assert got == want, (got, want)
        assert int(now["requests"]) - int(f["requests"]) == done
        assert asan() or all(v <= memory[k] + SLACK
                             for k, v in g.memory().items()), memory


if __name__ == "__main__":
    main(int(sys.argv[1]))

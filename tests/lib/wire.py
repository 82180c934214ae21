# SPDX-License-Identifier: ISC
"""Run the cases of tests/wire: wire.py [-k WORD] [-t SECONDS] FILE...

One gateway a file, several cases at a time. Each case has a client with an
address of its own, 127.N.N.N, by which the worker here knows whose request it
got; a request of nobody is a failure of all. What must be so with every
message, whatever the case is about, is in wire_message.py.
"""
import argparse
import concurrent.futures
import contextlib
import re
import socket
import sys
import threading
import time

from gateway import Gateway, WAIT, Worker, until
from wire_case import File, expand
from wire_message import Answer, Cut, Request, Stream

AT_ONCE = 8
SETTLE = 0.1  # seconds; what was sent on wrongly has come by then
PROBE = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n"
OK = [("say", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]
PROBED = [("say", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe")]


class Recorder(Worker):
    """Answers as the case of the client wants it, and keeps what came."""

    def __init__(self, path):
        self.runs, self.strays = {}, []
        super().__init__(path)

    def serve(self, conn, no):
        link = {"ended": False, "requests": 0}
        with contextlib.suppress(OSError), conn:
            stream = Stream(conn)
            while self.one(conn, stream, link):
                pass
        link["ended"] = True

    def one(self, conn, stream, link):
        r = Request()
        r.link, r.cut = link, "not over"
        try:
            if not r.head(stream):
                return False
            link["requests"] += 1
            r.place = link["requests"]
            run = self.runs.get(r.get("X-Forwarded-For"))
            if not run:
                self.strays.append(r)
            else:
                run.arrived.append(r)
            if not run or not run.case.early or r.target == "/probe":
                r.content(stream, False)
                r.cut = None
        except (Cut, ValueError) as e:
            r.cut = str(e)
            if not r.line:
                r.faults.append(f"rest: {stream.raw[-200:]!r}")
                self.strays.append(r)
            return False
        more = self.script(conn, stream, r, run.answer(r) if run else OK)
        if more and r.cut:  # it was early, and will not read the content
            with contextlib.suppress(Cut):
                r.content(stream, False)
                r.cut = None
        return more and not r.cut

    @staticmethod
    def script(conn, stream, r, steps):
        for verb, arg in steps:
            if verb == "say":
                conn.sendall(arg)
            elif verb == "pause":
                time.sleep(arg)
            elif verb == "continue":
                try:
                    r.content(stream, False)
                    r.cut = None
                except Cut as e:
                    r.cut = str(e)
                    return False
            elif verb == "echo":
                conn.sendall(stream.take(len(stream.buf)))
                while data := conn.recv(65536):
                    conn.sendall(data)
                return False
            elif verb == "ends":
                conn.shutdown(socket.SHUT_RDWR)
                return False
            elif verb == "resets":
                return False
        return True


class Run:
    """One case, carried out."""

    wait = WAIT

    def __init__(self, g, case, number):
        self.g, self.case, self.wrong = g, case, []
        self.peer = f"127.{1 + number // 62500}.{number // 250 % 250}." \
                    f"{1 + number % 250}"
        self.arrived, self.answered = [], 0
        self.stream = self.sock = None
        g.worker.runs[self.peer] = self

    def answer(self, r):
        if r.target == "/probe":
            return PROBED
        n, self.answered = self.answered, self.answered + 1
        scripts = self.case.answers
        return scripts[n] if n < len(scripts) and scripts[n] else OK

    def bad(self, what):
        self.wrong.append(what)

    # ---- the client -------------------------------------------------------

    def connect(self):
        self.sock = socket.socket()
        self.sock.settimeout(self.wait)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.bind((self.peer, 0))
        self.sock.connect(self.g.addr)
        self.stream = Stream(self.sock)

    def send(self, data):
        step = self.case.pieces or len(data) or 1
        # who is refused may be cut off before he has said all
        with contextlib.suppress(ConnectionError):
            for i in range(0, len(data), step):
                self.sock.sendall(data[i:i + step])
                if self.case.pieces:
                    time.sleep(0.0005)

    def dialogue(self):
        for verb, arg in self.case.steps:
            if verb == "say":
                self.send(expand(arg, self.peer))
            elif verb == "pause":
                time.sleep(arg)
            elif verb == "shut":
                self.sock.shutdown(socket.SHUT_WR)
            elif verb == "read":
                got, want = b"", expand(arg, self.peer)
                with contextlib.suppress(Cut):
                    got = self.stream.exactly(len(want))
                if got != want:
                    self.bad(f"read {self.stream.buf or got!r}, not {want!r}")
            else:
                self.want(arg)
        if self.case.then == "ends":
            got, how = self.stream.rest()
            if got or how != "end":
                self.bad(f"not ended: {how}, behind {got!r}")
        else:
            self.send(PROBE)
            a = Answer().read(self.stream)
            if a.status != 200 or a.body != b"probe":
                self.bad(f"out of step: {a.line!r} {a.body!r}")

    def want(self, expected):
        status, method, *_ = *expected.what.split(), "GET"
        a = Answer().read(self.stream, method)
        if str(a.status) not in status.split("|"):
            self.bad(f"wanted {status}, got {a.line!r} {a.body[:200]!r}")
        self.facts("answer", a, expected.facts)

    # ---- what must be so --------------------------------------------------

    def fact(self, m, verb, arg):
        """Whether it is so; and what is."""
        if verb in ("has", "like"):
            name, _, value = arg.partition(":")
            got = m.get(name.strip())
            if verb == "like":
                return got and re.fullmatch(value.strip(), got), got
            want = expand(value.strip(), self.peer).decode("latin-1")
            return got == want, got
        if verb == "not":
            return m.get(arg) is None, m.get(arg)
        if verb == "body":
            return m.body == expand(arg, self.peer), m.body
        if verb == "cut":
            return m.cut, "whole"
        if arg == "none":
            return not m.trailers, m.trailers
        name, _, value = arg.partition(":")
        return (name.strip(), value.strip()) in m.trailers, m.trailers

    def facts(self, what, m, facts):
        for verb, arg in facts:
            true, got = self.fact(m, verb, arg)
            if not true:
                self.bad(f"{what} {m.line!r}: {verb}: {arg}: is {got!r}")
        for fault in m.faults:
            self.bad(f"{what} {m.line!r}: {fault}")
        if m.cut and ("cut", "") not in facts:
            self.bad(f"{what} {m.line!r}: cut: {m.cut}")

    def check_seen(self):
        """When all cases are over."""
        case = self.case
        got = [r for r in self.arrived if r.target != "/probe"]
        lines = [f"{r.method} {r.target}" for r in got]
        want = [expand(e.what).decode("latin-1") for e in case.seen
                if not e.cut or got]
        if lines != want:
            self.bad(f"seen {lines}, not {want}")
            return
        for r, e in zip(got, case.seen):
            if e.cut and not r.cut:
                self.bad(f"request {r.line!r} is whole")
            if not case.early and not e.cut:
                self.facts("request", r, e.facts)
            else:
                cut, r.cut = r.cut, None
                self.facts("request", r, e.facts)
                r.cut = cut
        for r in self.arrived[len(got):]:
            self.facts("probe", r, [])
        if case.link:
            self.check_link(got[-1].link, got[-1].place)

    def check_link(self, link, place):
        """Others may have used it, and spoilt it, later."""
        if self.case.link == "dropped":
            until(lambda: link["ended"], wait=self.wait)
            if link["requests"] > place:
                self.bad("the worker's connection was used again")
        elif link["ended"] and link["requests"] == place:
            self.bad("the worker's connection was dropped")

    def run(self):
        try:
            self.connect()
            self.dialogue()
        except (Cut, OSError, ValueError) as e:
            self.bad(f"{type(e).__name__}: {e}")
        finally:
            self.sock.close()

    def report(self):
        print(f"{self.case.where}: {self.case.title}\n  RFC {self.case.rfc}")
        for w in self.wrong:
            print(f"  {w}")
        print(f"  from the gateway: {self.stream and self.stream.raw[:1500]!r}")
        for r in self.arrived:
            print(f"  at the worker: {r.line} {r.fields} {r.body[:200]!r}")


class WireGateway(Gateway):
    begin_worker = staticmethod(Recorder)

    def __init__(self, file):
        settings = {"global_timeout": 5000, **file.gateway}
        routes = file.routes or [("r0", "*", "/*rest")]
        # many workers fail here, one behind the other
        keys = {"security.circuit_breaker.failures": 2147483647}
        super().__init__(routes=(*routes, ("probe", "GET", "/probe")),
                         keys=keys, **settings)


def settle(g):
    """All clients have left, and what was on its way has come."""
    until(lambda: g.figures()["clients"] == "0")
    time.sleep(SETTLE)


def run_file(path, word):
    file = File(path)
    with WireGateway(file) as g:
        runs = [Run(g, case, i) for i, case in enumerate(file.cases)
                if word in case.title]
        at_once = 1 if file.alone else AT_ONCE
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(Run.run, runs))
        settle(g)
        for r in runs:
            try:
                r.check_seen()
            except AssertionError as e:
                r.bad(str(e))
        bad = [r for r in runs if r.wrong]
        for r in bad:
            r.report()
        for r in g.worker.strays:
            print(f"{path}: of no client: {r.line} {r.fields} {r.faults}")
        print(f"{path.rsplit('/', 1)[-1]}: {len(runs)} cases, {len(bad)} bad")
        return not bad and not g.worker.strays


def main():
    p = argparse.ArgumentParser(description="run cases of tests/wire")
    p.add_argument("-k", default="", metavar="WORD",
                   help="those whose title has WORD")
    p.add_argument("-t", default=WAIT, type=float, metavar="SECONDS",
                   help="silence of so long is the end of a case")
    p.add_argument("file", nargs="+")
    args = p.parse_args()
    Run.wait = args.t
    threading.excepthook = lambda a: sys.__excepthook__(
        a.exc_type, a.exc_value, a.exc_traceback)
    return 0 if all([run_file(f, args.k) for f in args.file]) else 1


if __name__ == "__main__":
    sys.exit(main())

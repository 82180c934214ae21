# SPDX-License-Identifier: ISC
"""A registry that does what a test wants of it: regd.py RUN [MODE].

It listens on RUN/regd/ops, keeps rows in memory, answers ls in pages of three
rows, and says on stdout what it was asked: `begin`, `put TABLE KEY`, `commit
N` with the number of rows that changed. The row `op:` of table setting is an
operator's. MODE: no-put, no-commit, no-ls (refuse that), hang-up (close at the
commit), silent (never answer a commit), lie (an answer that is no record).
"""
import os
import socket
import sys

RUN, MODE = sys.argv[1], (sys.argv + [""])[2]
TABLES = {}


def esc(v):
    return "".join("%%%02x" % ord(c) if ord(c) < 32 or c in "%\x7f" else c
                   for c in v)


def unesc(v):
    out, i = "", 0
    while i < len(v):
        if v[i] == "%":
            out += chr(int(v[i + 1:i + 3], 16))
            i += 3
        else:
            out += v[i]
            i += 1
    return out


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self.staged = None
        self.replace = []

    def say(self, verb, *fields):
        text = verb + "\n" + "".join(f"{k}={esc(str(v))}\n" for k, v in fields)
        self.sock.sendall((text + "\n").encode("latin-1"))

    def no(self, rid, what):
        self.say("no", ("id", rid), ("why", "denied"), ("text", f"no {what}"))

    def ls(self, rid, f):
        if MODE == "no-ls":
            return self.no(rid, "ls")
        rows = sorted(TABLES.get(f["table"], {}).items())
        rows = [r for r in rows if r[0] > f.get("after", "")]
        for key, cols in rows[:3]:
            self.say("row", ("id", rid), ("table", f["table"]), ("key", key),
                     ("rev", 7), *cols)
        more = [("more", 1)] if len(rows) > 3 else []
        self.say("end", ("id", rid), ("rev", 7), *more)

    def commit(self, rid):
        if MODE == "no-commit":
            return self.no(rid, "commit")
        if MODE == "hang-up":
            return self.sock.close()
        if MODE == "silent":
            return None
        if MODE == "lie":
            return self.sock.sendall(b"ok\nid=banana\n\n")
        changed = 0
        for table in self.replace:
            old, new = TABLES.setdefault(table, {}), self.staged.get(table, {})
            gone = [k for k, c in old.items()
                    if k not in new and ("owner", "conf") in c]
            for key in gone:
                del old[key]
            changed += len(gone)
            changed += sum(old.get(k) != c for k, c in new.items())
            old.update(new)
        print("commit", changed, flush=True)
        self.say("ok", ("id", rid), ("rev", 8))

    def on(self, verb, fields):
        f = dict(fields)
        rid = f.get("id")
        if verb == "hello":
            self.say("hello", ("proto", 1), ("name", "regd"), ("rev", 7),
                     ("floor", 1), ("boot", "b"), ("host", "h"))
        elif verb == "ls":
            self.ls(rid, f)
        elif verb == "begin":
            self.staged = {}
            self.replace = [v for k, v in fields if k == "replace-table"]
            print("begin", *self.replace, f["replace-owner"], flush=True)
        elif verb == "put":
            cols = [(k, v) for k, v in fields if k not in ("id", "table", "key")]
            self.staged.setdefault(f["table"], {})[f["key"]] = cols
            print("put", f["table"], f["key"], flush=True)
            if MODE == "no-put":
                self.no(rid, "put")
        elif verb == "commit":
            self.commit(rid)

    def serve(self):
        data = b""
        while True:
            try:
                got = self.sock.recv(65536)
            except OSError:
                return
            if not got:
                return
            data += got
            while b"\n\n" in data and self.sock.fileno() >= 0:
                rec, data = data.split(b"\n\n", 1)
                verb, *lines = rec.decode("latin-1").split("\n")
                fields = [tuple(x.split("=", 1)) for x in lines]
                self.on(verb, [(k, unesc(v)) for k, v in fields])


TABLES["setting"] = {"op:": [("value", "1"), ("owner", "op")]}
os.makedirs(f"{RUN}/regd", exist_ok=True)
server = socket.socket(socket.AF_UNIX)
server.bind(f"{RUN}/regd/ops")
server.listen(8)
while True:
    Peer(server.accept()[0]).serve()

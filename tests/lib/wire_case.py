# SPDX-License-Identifier: ISC
"""The files of tests/wire: a dialogue with the gateway, as text.

A file begins with what its gateway is like:

	gateway: max_head=4096		settings as in the registry
	route: GET,POST /a role=x	`* /*rest` when there is none
	alone:				one case at a time

and goes on with cases, each a block of lines up to an empty one:

	case: what it is about		first
	rfc: 9112 6.3; reliability	what says so, RFCs by number; second

	> POST /a HTTP/1.1		to the gateway, CRLF is added but behind a \\
	pause: 0.05			what is behind it is sent so much later
	pieces: 1			all is sent in pieces of so many bytes
	shut:				we send no more
	want: 400			an answer, of 400; `400|501`: either;
					`200 HEAD`: to a request by HEAD
	read: bytes			raw bytes, behind a 101

	< HTTP/1.1 200 OK		the worker's answer; without, 200 and `ok`
	worker: next			what is behind it answers the next request
	worker: pause 0.05		in mid-answer
	worker: ends			and closes behind what it has said
	worker: resets			and reads no more
	worker: early			it answers before it has read the content
	worker: continue		reads the content after what it has said
	worker: echo			it says what it hears, until the end

	then: open			the connection serves one more request
	then: ends			the gateway closes it, with nothing more

	seen: POST /a			a request reached the worker; in order
	seen: none			no request did
	seen: cut POST /a		none, or that one, but not whole
	link: kept			the worker's connection, at the end
	link: dropped			... is not used again

Behind `want` and `seen` stands what must be so with that message:

	has: Name: value		the value, of several lines as one list
	like: Name: regex		all of the value matches, no escapes
	not: Name			no such field
	body: bytes			the content; `body:` alone: none
	trailer: Name: value		the trailer section has that line
	trailer: none			it has none
	cut:				the message did not come to its end

Escapes: \\r \\n \\t \\0 \\\\ \\xHH, \\(TEXT*N) is TEXT N times, \\(peer) the
client's address. A line that begins with # is a comment.
"""
import re

ESCAPE = re.compile(rb"\\(?:\(peer\)|\(([^*()]+)\*(\d+)\)|x([0-9a-fA-F]{2})|.)")
PLAIN = {b"\\r": b"\r", b"\\n": b"\n", b"\\t": b"\t", b"\\0": b"\0",
         b"\\\\": b"\\"}
FACTS = ("has", "like", "not", "body", "trailer", "cut")


class Wrong(Exception):
    """A case file that is none."""


def expand(text, peer="\\(peer)"):
    def one(m):
        if m.group(0) == b"\\(peer)":
            return peer.encode()
        if m.group(1):
            return ESCAPE.sub(one, m.group(1)) * int(m.group(2))
        if m.group(3):
            return bytes([int(m.group(3), 16)])
        if m.group(0) not in PLAIN:
            raise Wrong(f"escape {m.group(0)}")
        return PLAIN[m.group(0)]
    return ESCAPE.sub(one, text.encode("latin-1"))


class Expected:
    """An answer or a request that must come."""

    def __init__(self, what):
        self.what, self.facts, self.cut = what, [], False


class Case:
    def __init__(self, where, title):
        self.where, self.title, self.rfc = where, title, None
        self.steps = []     # of the client: (verb, argument)
        self.answers = [[]]  # of the worker, each a list like that
        self.early, self.pieces = False, 0
        self.then, self.link, self.seen = None, None, None
        self.last = None

    def add(self, steps, verb, arg):
        if verb == "say" and steps and steps[-1][0] == "say":
            arg = steps.pop()[1] + arg
        steps.append((verb, arg))

    def line(self, text):
        """`> ...` or `< ...`"""
        arg = text[2:]
        arg = arg[:-1] if re.search(r"(?<!\\)(\\\\)*\\$", arg) else arg + "\\r\\n"
        data = expand(arg)  # also to see that it can be
        if text[0] == ">":
            self.add(self.steps, "say", arg)
        else:
            self.add(self.answers[-1], "say", data)

    def key(self, key, arg):
        if key == "rfc":
            self.rfc = arg
        elif key in ("pause", "shut", "read"):
            self.add(self.steps, key, float(arg) if key == "pause" else arg)
        elif key == "pieces":
            self.pieces = int(arg)
        elif key == "want":
            self.last = Expected(arg)
            self.add(self.steps, key, self.last)
        elif key == "seen":
            self.seen = self.seen or []
            if arg != "none":
                self.last = Expected(arg.removeprefix("cut "))
                self.last.cut = arg.startswith("cut ")
                self.seen.append(self.last)
        elif key in FACTS:
            self.last.facts.append((key, arg))
        elif key == "worker":
            self.worker(*arg.split())
        elif key == "then" and arg in ("open", "ends"):
            self.then = arg
        elif key == "link" and arg in ("kept", "dropped"):
            self.link = arg
        else:
            raise Wrong(f"no such line: {key}: {arg}")

    def worker(self, verb, arg=None):
        if verb == "next":
            self.answers.append([])
        elif verb == "early":
            self.early = True
        elif verb in ("pause", "ends", "resets", "continue", "echo"):
            self.add(self.answers[-1], verb, arg and float(arg))
        else:
            raise Wrong(f"no such line: worker: {verb}")

    def complete(self):
        for what in ("rfc", "then", "seen"):
            if getattr(self, what) is None:
                raise Wrong(f"{self.where}: {self.title}: no `{what}:`")
        if not re.match(r"(\d{4}|contracts/\S+) [\dA-C]", self.rfc):
            raise Wrong(f"{self.where}: `rfc:` names no section")


class File:
    def __init__(self, path):
        self.gateway, self.routes, self.cases = {}, [], []
        self.alone = False
        case = None
        with open(path, encoding="latin-1") as f:
            for no, text in enumerate(f, 1):
                text = text.rstrip("\n")
                if not text or text.startswith("#"):
                    continue
                try:
                    case = self.line(case, f"{path}:{no}", text)
                except (Wrong, ValueError, AttributeError) as e:
                    raise Wrong(f"{path}:{no}: {text}: {e}") from e
        for case in self.cases:
            case.complete()
        titles = [case.title for case in self.cases]
        for t in titles:
            if titles.count(t) > 1:
                raise Wrong(f"{path}: two cases `{t}`")

    def line(self, case, where, text):
        if text[0] in "<>":
            case.line(text)
            return case
        key, arg = re.fullmatch(r"(\w+):\s*(.*)", text).groups()
        if key == "case":
            self.cases.append(Case(where, arg))
            return self.cases[-1]
        if case:
            case.key(key, arg)
        elif key == "alone":
            self.alone = True
        elif key == "gateway":
            self.gateway.update(w.split("=") for w in arg.split())
        elif key == "route":
            methods, path, *more = arg.split()
            self.routes.append((f"r{len(self.routes)}",
                                methods.replace(",", " "), path, *more))
        else:
            raise Wrong("no such line")
        return case

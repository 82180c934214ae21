# SPDX-License-Identifier: ISC
"""The cases of tests/route_policy.bats: policy_cases.py NAME.

Tokens are made here by hand, so that they do not depend on what is tested.
"""
import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time

from gateway import Gateway, OK, until

SECRET = "s" * 32
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
FAIL = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(alg="HS256", key=SECRET, **claims):
    claims = {"exp": int(time.time()) + 60, **claims}
    claims = {k: v for k, v in claims.items() if v is not None}
    text = b64(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + "." + \
        b64(json.dumps(claims).encode())
    mac = hmac.new(key.encode(), text.encode(),
                   getattr(hashlib, "sha" + alg[2:])).digest()
    return text + "." + b64(mac)


def says(data, end=False):
    def answer(conn, _):
        conn.sendall(data)
        return end
    return answer


def post(path, body, *fields, typ="application/json"):
    if isinstance(body, str):
        body = body.encode()
    head = "".join(f"{f}\r\n" for f in (
        f"POST {path} HTTP/1.1", "Host: h", f"Content-Type: {typ}",
        f"Content-Length: {len(body)}", *fields))
    return head.encode() + b"\r\n" + body


# ---- tokens and roles ------------------------------------------------------

ROLES = (("open", "GET", "/open"), ("user", "GET", "/user", "role=user"),
         ("both", "GET", "/both", "role=admin", "role=user"),
         ("guest", "GET", "/guest", "role=guest", "role=user"))


def roles():
    with Gateway(routes=ROLES, env={"JWT_SECRET": SECRET}) as g:
        def ask(path, value):
            return g.get(path, *([f"Authorization: {value}"] if value else []))

        def refused(a, error):
            assert a.status == 401 and a.error() == "unauthorized", a.line
            challenge, = a.get("www-authenticate")
            assert challenge == "Bearer" if not error else \
                challenge.startswith('Bearer error="invalid_token"'), challenge
        user = token(sub="u-1", roles=["user"])
        assert g.get("/open").status == 200
        assert ask("/open", "Bearer rubbish").status == 200
        refused(g.get("/user"), False)
        refused(ask("/user", "Basic dTpw"), False)
        refused(ask("/user", "Bearer rubbish"), True)
        refused(ask("/user", "Bearer " + user[:-4] + "AAAA"), True)
        refused(ask("/user", "Bearer " + token(sub="u", roles=["user"],
                                               exp=int(time.time()) - 1)), True)
        refused(ask("/user", "Bearer " + token(sub="u", roles=["user"],
                                               exp=None)), True)
        refused(ask("/user", "Bearer " + token(sub="u", roles=["user"],
                                               key="x" * 32)), True)
        none = b64(b'{"alg":"none"}') + "." + b64(json.dumps(
            {"sub": "u", "roles": ["user"], "exp": 9e9}).encode()) + "."
        refused(ask("/user", "Bearer " + none), True)
        assert not g.worker.seen[2:], "a refused request reached the worker"
        for value in ("Bearer " + user, "bearer " + user, "BEARER  " + user,
                      user):
            assert ask("/user", value).status == 200, value
            assert g.log(1)[-1]["user_id"] in ("u-1", "-")
        for alg in ("HS384", "HS512"):
            assert ask("/user", "Bearer " + token(
                alg, sub="u", roles=["user"])).status == 200
        # the worker sees it, as it came
        assert g.worker.seen[-1].get("authorization")[0].startswith("Bearer ")
        a = ask("/user", "Bearer " + token(sub="u", roles=["admin"]))
        assert (a.status, a.error()) == (403, "forbidden")
        assert ask("/both", "Bearer " + token(roles=["admin"])).status == 200
        # guest is a role like others, unless it is said to be anybody's
        refused(g.get("/guest"), False)
        # two fields: whose is it?
        refused(g.get("/user", f"Authorization: Bearer {user}",
                      f"Authorization: Bearer {user}"), True)
        assert any(line["user_id"] == "u-1" for line in g.log(20))
        f = g.figures()
        assert int(f["unauthorized"]) == 10 and int(f["forbidden"]) == 1, f


def anonymous():
    with Gateway(routes=ROLES, env={"JWT_SECRET": SECRET},
                 keys={"security.anonymous_role": "guest"}) as g:
        assert g.get("/guest").status == 200
        assert g.get("/user").status == 401
        # a token that is there must be good
        assert g.get("/guest", "Authorization: Bearer x").status == 401
        # and says who one is: not a guest
        assert g.get("/guest", "Authorization: Bearer " + token(
            roles=["admin"])).status == 403
        assert g.get("/guest", "Authorization: Bearer " + token(
            roles=["user"])).status == 200


def no_key():
    with Gateway(routes=ROLES) as g:
        assert "no key for tokens: every token is refused" in g.err()
        # not even one signed by the empty key
        for key in ("", SECRET):
            a = g.get("/user", "Authorization: Bearer " + token(
                sub="u", roles=["user"], key=key))
            assert a.status == 401, a.line
        assert g.get("/open").status == 200
    with Gateway(routes=ROLES, env={"JWT_SECRET": ""}) as g:
        assert g.get("/user", "Authorization: Bearer " + token(
            roles=["user"], key="")).status == 401
    # nobody asks for tokens: nothing to say
    with Gateway() as g:
        assert "no key" not in g.err()


def rules():
    keys = {"jwt.issuer": "me", "jwt.audience": "a b", "jwt.algorithm": "HS512",
            "jwt.require_exp": 0, "jwt.leeway": 30000,
            "security.jwt_secret_env": "OTHER"}
    with Gateway(routes=ROLES, env={"OTHER": SECRET}, keys=keys) as g:
        good = {"iss": "me", "aud": ["x", "b"], "roles": ["user"]}

        def ask(alg="HS512", **claims):
            return g.get("/user", "Authorization: Bearer " + token(
                alg, **{**good, **claims})).status
        now = int(time.time())
        assert ask() == 200
        assert ask("HS256") == 401
        assert ask(exp=None) == 200
        assert ask(exp=now - 10) == 200
        assert ask(exp=now - 60) == 401
        assert ask(nbf=now + 10) == 200
        assert ask(nbf=now + 60) == 401
        assert ask(iss="you") == 401
        assert ask(iss=None) == 401
        assert ask(aud="b") == 200
        assert ask(aud="c") == 401


def key_file():
    with Gateway(routes=ROLES) as g:
        path = f"{g.run}/secret"

        def write(text):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)

        def ask(key):
            return g.get("/user", "Authorization: Bearer " + token(
                roles=["user"], key=key)).status
        write(SECRET + "\n")
        assert ask(SECRET) == 401
        rev = g.reg("put", "setting", "jwt.secret_file",
                    f"value={path}").split()[-1]
        g.heard(rev)
        assert ask(SECRET) == 200
        write("t" * 40)
        assert ask(SECRET) == 200
        g.procs["route.0"].send_signal(signal.SIGHUP)
        until(lambda: ask(SECRET) == 401)
        assert ask("t" * 40) == 200
        os.unlink(path)
        g.procs["route.0"].send_signal(signal.SIGHUP)
        until(lambda: ask("t" * 40) == 401)
        assert f'"from":"{path}","why":"No such file' in g.err()


def public_keys():
    with Gateway(routes=ROLES) as g:
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, cwd=g.run,
                           capture_output=True)
        openssl("genrsa", "-out", "rsa.key", "2048")
        openssl("rsa", "-in", "rsa.key", "-pubout", "-out", "rsa.pem")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                "ec.key")
        openssl("ec", "-in", "ec.key", "-pubout", "-out", "ec.pem")

        def mint(alg, key):
            path = f"{g.run}/{key}"
            return subprocess.run(
                [os.environ["VYX_BUILD"] + "/bin/vyx-token", "mint", "-a", alg,
                 "-K", path], input=json.dumps(
                     {"roles": ["user"], "exp": int(time.time()) + 60}),
                capture_output=True, text=True, check=True).stdout.strip()

        def ask(t):
            return g.get("/user", "Authorization: Bearer " + t).status
        with open(f"{g.run}/rsa.pem", encoding="ascii") as f:
            confused = token(roles=["user"], key=f.read())
        for pem, alg, key, other in (("rsa.pem", "RS256", "rsa.key", "ec.key"),
                                     ("ec.pem", "ES256", "ec.key", "rsa.key")):
            g.heard(g.reg("put", "setting", "jwt.public_key_file",
                          f"value={g.run}/{pem}").split()[-1])
            assert ask(mint(alg, key)) == 200, alg
            assert ask(mint("ES256" if alg == "RS256" else "RS256",
                            other)) == 401
            # the public key is no HMAC secret
            assert ask(confused) == 401
        # nor when it is said to be the file of the secret
        g.heard(g.reg("del", "setting",
                      "jwt.public_key_file").split()[-1])
        with open(f"{g.run}/rsa.pem", encoding="ascii") as f:
            stripped = token(roles=["user"], key=f.read()[:-1])
        g.heard(g.reg("put", "setting", "jwt.secret_file",
                      f"value={g.run}/rsa.pem").split()[-1])
        assert ask(stripped) == 401 and ask(confused) == 401
        assert "it has public keys" in g.err()
        g.heard(g.reg("put", "setting", "jwt.public_key_file",
                      f"value={g.run}/ec.pem").split()[-1])
        assert ask(mint("ES256", "ec.key")) == 200
        g.heard(g.reg("put", "setting", "jwt.algorithm",
                      "value=RS256").split()[-1])
        assert ask(mint("ES256", "ec.key")) == 401


# ---- schemas ---------------------------------------------------------------

GREET = json.dumps({
    "type": "object", "required": ["name"], "additionalProperties": False,
    "properties": {"name": {"type": "string", "minLength": 2},
                   "when": {"type": "string", "format": "date"}}})
CHECKED = (("greet", "GET POST", "/greet", "validate=greet"),
           ("lost", "POST", "/lost", "validate=nobody"),
           ("free", "POST", "/free"))


def schemas():
    with Gateway(routes=CHECKED, schemas={"greet": GREET},
                 payload_max_size=300000) as g:
        def details(a):
            assert a.status == 400, a.line
            got = json.loads(a.body)
            assert got["error"] == "validation_failed" and \
                a.get("content-type") == ["application/json"]
            return [(d["field"], d["message"]) for d in got["details"]]
        c = g.client()
        assert c.ask(post("/greet", '{"name":"Bo"}')).status == 200
        assert g.worker.seen[-1].body == b'{"name":"Bo"}'
        seen = len(g.worker.seen)
        got = details(c.ask(post("/greet", '{"nom":"x","when":1}')))
        assert [f for f, _ in got] == ["name", "nom", "when"] or \
            sorted(f for f, _ in got) == ["name", "nom", "when"], got
        assert ("name", "is required") in got, got
        got = details(c.ask(post("/greet", '{"name":"B"}')))
        assert got[0][0] == "name" and got[0][1], got
        assert details(c.ask(post("/greet", '["name"]'))) == \
            [("", "must be an object")]
        assert details(c.ask(post("/greet", "{")))[0][0] == ""
        assert details(c.ask(post("/greet", '{"name":"Bo","name":"Al"}')))
        assert details(c.ask(post("/greet", b"\xff\xfe")))
        assert details(c.ask(post("/lost", "{}")))
        assert len(g.worker.seen) == seen, "what is not valid reached it"
        # without content there is nothing to look at
        assert c.ask(b"GET /greet HTTP/1.1\r\nHost: h\r\n\r\n").status == 200
        assert c.ask(post("/greet", "")).status == 200
        # a format is an annotation unless told
        assert c.ask(post("/greet", '{"name":"Bo","when":"x"}')).status == 200
        # other routes are let be
        assert c.ask(post("/free", "{")).status == 200
        # chunked, in small pieces, and with Expect
        c.send(b"POST /greet HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked"
               b"\r\nExpect: 100-continue\r\n\r\n")
        assert c.head().status == 100
        for piece in (b"5\r\n{\"nam\r\n", b"8\r\ne\":\"Bo\"}\r\n", b"0\r\n\r\n"):
            c.send(piece)
            time.sleep(0.02)
        assert c.answer().status == 200
        assert b'{"nam' in g.worker.seen[-1].body
        assert g.worker.seen[-1].get("expect") == []
        # larger than any buffer, up to the limit; then 413
        big = '{"name":"' + "x" * 290000 + '"}'
        assert c.ask(post("/greet", big)).status == 200
        assert g.worker.seen[-1].body == big.encode()
        a = c.ask(post("/greet", '{"name":"' + "x" * 300000 + '"}'))
        assert a.status == 413, a.line
        assert "nobody" in g.err() or "schema" in g.err()
        assert int(g.figures()["invalid"]) == 7, g.figures()["invalid"]


def schema_values():
    """A body of very many values is refused before they cost memory."""
    with Gateway(routes=CHECKED, schemas={"greet": "{}"}) as g:
        many = '{"a":[' + "0," * 60000 + "0]}"
        a = g.ask(post("/greet", many))
        assert a.status == 400 and b"more than 50000 values" in a.body
        # commas in texts are none
        assert g.ask(post("/greet", '{"a":"' + "\\\"," * 60000 +
                          '"}')).status == 200


def schema_changes():
    with Gateway(routes=CHECKED, schemas={"greet": GREET}) as g:
        assert g.ask(post("/greet", '{"name":"Bo","when":"x"}')).status == 200
        g.heard(g.reg("put", "setting", "security.schema_formats",
                      "value=1").split()[-1])
        assert g.ask(post("/greet", '{"name":"Bo","when":"x"}')).status == 400
        g.heard(g.reg("put", "schema", "greet", "sha256=1",
                      'text={"required":["x"]}').split()[-1])
        assert g.ask(post("/greet", '{"name":"Bo"}')).status == 400
        assert g.ask(post("/greet", '{"x":1}')).status == 200
        g.heard(g.reg("put", "schema", "greet", "sha256=2",
                      'text={"oops":1}').split()[-1])
        assert g.ask(post("/greet", '{"x":1}')).status == 400
        assert "oops" in g.err()
        g.heard(g.reg("put", "schema", "nobody", "sha256=3",
                      "text={}").split()[-1])
        assert g.ask(post("/lost", "{}")).status == 200


def schema_slow_worker():
    """A body that is larger than what the worker takes at once."""
    with Gateway(routes=CHECKED, schemas={"greet": GREET},
                 payload_max_size=4000000) as g:
        gate = threading.Event()
        g.worker.early = True

        def answer(conn, r):
            gate.wait(10)
            g.worker.body(r)
            conn.sendall(OK)
        g.worker.answer = answer
        big = '{"name":"' + "x" * 3000000 + '"}'
        c = g.client().send(post("/greet", big))
        until(lambda: g.worker.seen)
        assert g.get("/free").status in (404, 405)
        gate.set()
        assert c.answer().status == 200
        assert g.worker.seen[0].body == big.encode()


def schema_many():
    """Bodies of 64 MiB are held at once; who is too many may try again."""
    with Gateway(routes=CHECKED, schemas={"greet": GREET},
                 payload_max_size=0) as g:
        held = [g.client() for _ in range(16)]
        for c in held:
            c.send(b"POST /greet HTTP/1.1\r\nHost: h\r\nContent-Length: "
                   b"4194304\r\n\r\n" + b" " * 4194303)
        small = post("/greet", '{"name":"Bo"}')
        c = g.client()

        def refused():
            a = c.send(small[:-5]).answer()
            c.send(small[-5:])
            return a.status == 503 and a.get("retry-after") == ["1"]
        until(lambda: g.ask(small).status == 503)
        # the rest of what was refused is read, and the connection goes on
        for _ in range(3):
            assert refused()
        for h in held:
            h.close()
        until(lambda: c.ask(small).status == 200)


# ---- rates -----------------------------------------------------------------

def rates():
    with Gateway(routes=(("r1", "*", "/*rest"), ("own", "GET", "/own",
                                                 "limits=per-ip=2"),
                         ("off", "GET", "/off", "limits=per-ip=off"),
                         ("none", "GET", "/none", "policy=none")),
                 keys={"security.rate_limit.per_ip": 5,
                       "security.rate_limit.per_token": 3}) as g:
        for _ in range(3):
            assert g.get("/a", "Authorization: Bearer t").status == 200
        a = g.get("/a", "Authorization: Bearer t")
        assert (a.status, a.error()) == (429, "too many requests")
        # one token is one, however the field is written
        for other in ("bearer t", "Bearer   t", "t"):
            assert g.get("/off", f"Authorization: {other}").status == 429
        assert a.get("ratelimit-limit") == ["3"], a.fields
        assert g.get("/nowhere/x", "Authorization: Bearer u").status == 200
        a = g.get("/a")
        assert a.status == 429 and a.get("ratelimit-limit") == ["5"]
        assert a.get("ratelimit-remaining") == ["0"]
        assert 1 <= int(a.get("retry-after")[0]) <= 120
        for i in range(4):
            assert g.get("/own").status == (200 if i < 2 else 429)
        for _ in range(8):
            assert g.get("/off").status == 200
            assert g.get("/none").status == 200
        assert int(g.figures()["limited"]) == 7


def rates_spelling():
    """A token has one count, however its field is written."""
    with Gateway(keys={"security.rate_limit.per_token": 2}) as g:
        def ask(value):
            return g.get("/", f"Authorization: {value}").status
        assert [ask(v) for v in ("Bearer t", "bearer t", "t", "Bearer   t",
                                 "BEARER t")] == [200, 200, 429, 429, 429]
        assert [ask(v) for v in ("Basic t", "Bearer u", "T")] == [200] * 3


def rates_zero():
    with Gateway(keys={"security.rate_limit.per_ip": 0}) as g:
        assert g.get().status == 429


def rates_shared():
    """Two routers count as one; a third after a restart goes on."""
    with Gateway(keys={"security.rate_limit.per_ip": 50}) as g:
        s = g.listen(slot=1)
        os.makedirs(f"{g.run}/route.1")
        g.start("route.1", [(g.listener, 0), (s, 1)])
        good = sum(g.get().status == 200 for _ in range(80))
        assert good == 50, good
        p = g.procs["route.1"]
        p.send_signal(signal.SIGTERM)
        p.wait(10)
        g.start("route.1", [(g.listener, 0), (s, 1)])
        assert all(g.get().status == 429 for _ in range(20))


def proxies():
    with Gateway(keys={"security.rate_limit.per_ip": 2,
                       "gateway.trusted_proxies": "127.0.0.0/8"},
                 max_connections_per_client=2) as g:
        def ask(*xff):
            return g.get("/", *(f"X-Forwarded-For: {x}" for x in xff))
        for who in ("192.0.2.1", "192.0.2.2"):
            assert [ask(who).status for _ in range(3)] == [200, 200, 429]
        assert g.log(1)[0]["client"] == "192.0.2.1"
        r = g.worker.seen[0]
        assert r.get("x-forwarded-for") == ["192.0.2.1"], r.fields
        assert "for=192.0.2.1" in r.get("forwarded")[0]
        # who is behind an untrusted one is not believed
        a = ask("192.0.2.9, 192.0.2.1")
        assert a.status == 429
        # IPv6 by /64
        assert [ask(f"2001:db8::{i}").status for i in (1, 2, 3)] == \
            [200, 200, 429]
        assert ask("2001:db8:0:1::1").status == 200
        g.get("/", "X-Forwarded-For: 192.0.2.77", "X-Forwarded-Proto: https")
        assert g.worker.seen[-1].get("x-forwarded-proto") == ["https"]
        # a trusted proxy speaks for many
        held = [g.client() for _ in range(4)]
        assert all(c.ask(b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: "
                         b"198.51.100.%d\r\n\r\n" % i).status == 200
                   for i, c in enumerate(held))
    with Gateway(keys={"security.rate_limit.per_ip": 1}) as g:
        # without trust the field says nothing
        assert g.get("/", "X-Forwarded-For: 192.0.2.1").status == 200
        assert g.get("/", "X-Forwarded-For: 192.0.2.2").status == 429


# ---- breaker ---------------------------------------------------------------

BREAKER = {"security.circuit_breaker.failures": 3,
           "security.circuit_breaker.cooldown": 600,
           "security.circuit_breaker.half_open_max": 1}


def breaker():
    with Gateway(routes=(("bad", "GET", "/bad/:id"), ("ok", "GET", "/ok"),
                         ("none", "GET", "/none", "policy=none")),
                 keys=BREAKER) as g:
        g.worker.answer = says(FAIL)
        for i in range(3):
            assert g.get(f"/bad/{i}").status == 500
        n = len(g.worker.seen)
        assert "breaker bad open" in [" ".join(line) for line in g.stat()]
        a = g.get("/bad/9")
        assert a.status == 503 and json.loads(a.body) == {
            "error": "circuit breaker open", "state": "open"}, a.body
        assert a.get("retry-after") == ["1"]
        assert len(g.worker.seen) == n
        # others are another matter
        g.worker.answer = says(OK)
        assert g.get("/ok").status == 200
        # no request may be tried before the cooldown is over; then one is
        g.worker.answer = says(FAIL)
        until(lambda: g.get("/bad/1").status == 500)
        assert g.get("/bad/1").status == 503, "a failed trial opens it again"
        g.worker.answer = says(OK)
        until(lambda: g.get("/bad/1").status == 200)
        assert all(g.get("/bad/1").status == 200 for _ in range(5))
        assert not any(line[0] == "breaker" for line in g.stat())
        assert g.err().count('"circuit breaker","route":"bad","state":"open"') \
            == 2
        # one without policy has none
        g.worker.answer = says(FAIL)
        assert all(g.get("/none").status == 500 for _ in range(9))


def breaker_counts():
    """4xx and clients that go say nothing; cuts and time-outs do."""
    with Gateway(keys={**BREAKER, "security.circuit_breaker.cooldown": 60000},
                 global_timeout=200) as g:
        g.worker.answer = says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        assert all(g.get().status == 404 for _ in range(6))
        gate = threading.Event()
        g.worker.answer = lambda conn, r: (gate.wait(0.05), conn.sendall(OK))[1]
        for _ in range(6):
            c = g.client().send(GET)
            time.sleep(0.01)
            c.close()
        until(lambda: g.figures()["aborted"] == "6")
        g.worker.answer = says(OK)
        assert g.get().status == 200
        # failures in a row: one good answer between them starts anew
        for _ in range(3):
            g.worker.answer = says(FAIL)
            assert g.get().status == 500 and g.get().status == 500
            g.worker.answer = says(OK)
            assert g.get().status == 200
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
                               True)
        c = g.client().send(GET)
        assert c.head().status == 200 and c.f.read() == b"x"
        g.worker.answer = lambda conn, r: conn.close() or True
        assert g.ask(post("/", "x")).status == 502
        g.worker.answer = lambda conn, r: time.sleep(0.4)
        assert g.get().status == 504
        assert g.get().status == 503


def breaker_slow_clients():
    """Who stalls in a body makes no worker's time-out: 408, none counted."""
    with Gateway(routes=(("r1", "*", "/*rest"), ("s", "POST", "/s",
                                                 "validate=greet")),
                 schemas={"greet": GREET}, body_timeout=300,
                 keys=BREAKER, global_timeout=300) as g:
        long = post("/", "x" * 200000)
        for part in (long[:150000], long[:-40], post("/s", "{}")[:-1],
                     post("/", "{}")[:-1]):
            for c in [g.client().send(part) for _ in range(4)]:
                a = c.answer()
                assert (a.status, a.error()) == (408, "request timeout")
                assert c.ended()
        assert g.get().status == 200, "strangers opened the breaker"
        # but a worker that reads nothing is late itself
        g.worker.early = True
        g.worker.answer = lambda conn, r: time.sleep(1)
        c = g.client()
        threading.Thread(target=c.send, args=(post("/", "x" * 900000),),
                         daemon=True).start()
        assert c.answer().status == 504


def breaker_silent():
    """Who stops in mid-body is late himself: no failure of the worker."""
    with Gateway(keys={**BREAKER, "gateway.body_timeout": 600},
                 global_timeout=200) as g:
        for body in (b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
                     b"Content-Length: 99999\r\n\r\nx",
                     b"Content-Length: 9\r\n\r\nx"):
            held = [g.client().send(b"POST / HTTP/1.1\r\nHost: h\r\n" + body)
                    for _ in range(3)]
            assert [c.answer().status for c in held] == [408] * 3, body
            assert g.get().status == 200, body
        # a worker that does not wait for them any longer has not failed
        def impatient(conn, r):
            conn.settimeout(0.1)
            try:
                while conn.recv(100):
                    pass
            except TimeoutError:
                pass
            return True
        g.worker.early = True
        g.worker.answer = impatient
        held = [g.client().send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length"
                                b": 99999\r\n\r\nx") for _ in range(3)]
        assert [c.answer().status for c in held] == [502] * 3
        g.worker.early = False
        g.worker.answer = says(OK)
        assert g.get().status == 200
        # one who has sent all of it waits for the worker alone
        g.worker.answer = lambda conn, r: time.sleep(0.6)
        c = g.client().send(post("/", "xy")[:-1])
        time.sleep(0.3)
        t = time.monotonic()
        assert c.send(b"y").answer().status == 504
        assert 0.15 < time.monotonic() - t < 0.45


def breaker_slow_readers():
    """A worker that gives up sending to who does not read has not failed."""
    with Gateway(keys=BREAKER) as g:
        def impatient(conn, r):
            conn.settimeout(0.3)
            try:
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000"
                             b"\r\n\r\n" + b"x" * 3000000)
            except TimeoutError:
                pass
            return True
        g.worker.answer = impatient
        held = [g.client(rcvbuf=4096).send(GET) for _ in range(3)]
        time.sleep(1.3)
        for c in held:
            assert c.head().status == 200 and len(c.f.read()) < 3000000
        g.worker.answer = says(OK)
        assert g.get().status == 200


def breaker_trials():
    """What takes a trial's place gives it back, whatever becomes of it."""
    with Gateway(routes=(("r", "GET POST", "/r", "role=user"),
                         ("s", "POST", "/s", "validate=greet")),
                 schemas={"greet": GREET}, env={"JWT_SECRET": SECRET},
                 keys={**BREAKER, "security.circuit_breaker.cooldown": 300},
                 global_timeout=1000) as g:
        good = "Authorization: Bearer " + token(roles=["user"])
        bad = "Authorization: Bearer " + token(roles=["other"])

        def get(*fields):
            return g.get("/r", *fields).status
        g.worker.answer = says(FAIL)
        for _ in range(3):
            assert get(good) == 500
        assert get() == 503 and get(bad) == 503
        time.sleep(0.35)
        # the cooldown is over, and none of these is a trial that stays
        for _ in range(3):
            assert get() == 401 and get(bad) == 403
        gate = threading.Event()
        g.worker.answer = lambda conn, r: (gate.wait(3), conn.sendall(OK))[1]
        c = g.client().send(f"GET /r HTTP/1.1\r\nHost: h\r\n{good}\r\n\r\n"
                            .encode())
        until(lambda: len(g.worker.seen) == 4)
        assert get(good) == 503, "one trial at a time"
        c.close()  # the client of the trial goes
        gate.set()
        g.worker.answer = says(OK)
        until(lambda: get(good) == 200)
        # a schema refuses before it is a trial; a slow body is none
        g.worker.answer = says(FAIL)
        body = '{"name":"Bo"}'
        for _ in range(3):
            assert g.ask(post("/s", body)).status == 500
        time.sleep(0.35)
        slow = g.client().send(post("/s", body)[:-2])
        assert g.ask(post("/s", "{}")).status == 400
        g.worker.answer = says(OK)
        assert g.ask(post("/s", body)).status == 200
        slow.close()


def breaker_slow_trial():
    """Who sends a long body slowly does not keep the route half open."""
    with Gateway(keys={**BREAKER, "security.circuit_breaker.cooldown": 200},
                 global_timeout=500, payload_max_size=0) as g:
        g.worker.answer = says(FAIL)
        for _ in range(3):
            assert g.get().status == 500
        time.sleep(0.25)
        c = g.client().send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
                            b"900000\r\n\r\n" + b"x" * 1000)
        stop = threading.Event()

        def drip():
            while not stop.wait(0.1):
                try:
                    c.s.sendall(b"x" * 100)
                except OSError:
                    return
        t = threading.Thread(target=drip)
        t.start()
        g.worker.answer = says(OK)
        until(lambda: g.get().status == 200)
        stop.set()
        t.join()


def places():
    """Slow bodies hold half of a worker's connections, and no more."""
    with Gateway(limit=4, payload_max_size=0, global_timeout=5000) as g:
        long = post("/", "x" * 200000)
        slow = [g.client().send(long[:100000]) for _ in range(6)]
        chunked = (b"POST / HTTP/1.1\r\nHost: h\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        slow += [g.client().send(chunked) for _ in range(4)]
        until(lambda: g.figures()["busy"] == "2")
        time.sleep(0.1)
        assert g.figures()["busy"] == "2"
        # others are served at once, and so is what came whole meanwhile
        for _ in range(20):
            assert g.get().status == 200
        assert g.ask(post("/", "x" * 60000)).status == 200
        c = g.client().send(chunked[:-5])
        time.sleep(0.05)
        assert c.ask(b"345\r\n0\r\n\r\n").status == 200
        assert len(g.pool.held) <= 4
        # one that stands in the line may go
        slow.pop(3).close()
        slow.pop(6).close()
        # the places are given on, in order, until all are done
        for i, c in enumerate(slow):
            rest = long[100000:] if i < 5 else b"0\r\n\r\n"
            assert c.ask(rest).status == 200, i
        assert g.figures()["busy"] == "0"
        # one that gets none in time is told
    with Gateway(limit=2, payload_max_size=0, global_timeout=300) as g:
        first = g.client().send(long[:100000])
        stop = threading.Event()

        def drip():
            at = 100000
            while not stop.wait(0.05):
                first.s.sendall(long[at:at + 10])
                at += 10
        t = threading.Thread(target=drip)
        t.start()
        c = g.client()
        threading.Thread(target=c.send, args=(long,), daemon=True).start()
        a = c.answer()
        assert (a.status, a.error()) == (504, "upstream timeout")
        assert g.get().status == 200
        stop.set()
        t.join()
        first.close()


# ---- all failures, as they are told ----------------------------------------

def failures():
    """Each row of the table of failures: status, JSON, what else it has."""
    routes = (("r", "GET POST", "/r"), ("u", "GET", "/u", "role=user"),
              ("g", "POST", "/g", "validate=greet"),
              ("one", "GET", "/one", "limits=per-ip=0"),
              ("tok", "GET", "/tok", "limits=per-token=0"),
              ("b", "GET", "/b"), ("ws", "WS", "/ws", "role=user"))
    keys = {"security.circuit_breaker.failures": 1}
    with Gateway(routes=routes, keys=keys, schemas={"greet": GREET},
                 env={"JWT_SECRET": SECRET}, global_timeout=300,
                 payload_max_size=100) as g:
        upgrade = ("Connection: Upgrade", "Upgrade: websocket",
                   "Sec-WebSocket-Version: 13",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")

        def told(a, status, error, **more):
            assert a.status == status, (a.line, a.body)
            assert a.get("content-type") == ["application/json"]
            assert a.body.endswith(b"}\n")
            got = json.loads(a.body)
            assert got.pop("error") == error, a.body
            for name, value in more.pop("body", {}).items():
                assert got.pop(name) == value, a.body
            assert status == 400 or not got, a.body
            for name, value in more.items():
                assert a.get(name.replace("_", "-")) == [value], a.fields
            assert len(a.get("x-request-id")[0]) == 36
            assert a.get("x-frame-options") == ["DENY"]
        bad = token(roles=["x"])
        a = g.get("/one")
        told(a, 429, "too many requests", ratelimit_remaining="0")
        assert int(a.get("retry-after")[0]) >= 1
        a = g.get("/tok", "Authorization: x")
        told(a, 429, "too many requests")
        assert int(a.get("retry-after")[0]) >= 1
        told(g.ask(post("/r", "x" * 101)), 413, "payload too large")
        told(g.get("/nowhere"), 404, "route not found")
        told(g.ask(post("/u", "x")), 405, "method not allowed",
             allow="GET, HEAD")
        told(g.get("/u"), 401, "unauthorized", www_authenticate="Bearer")
        told(g.get("/u", f"Authorization: Bearer {bad}"), 403, "forbidden")
        told(g.ask(post("/g", "{}")), 400, "validation_failed", body={
            "details": [{"field": "name", "message": "is required"}]})
        told(g.get("/ws"), 426, "upgrade required", upgrade="websocket")
        told(g.get("/wsx", *upgrade), 404, "route not found")
        told(g.get("/ws", *upgrade), 401, "unauthorized")
        told(g.get("/ws", *upgrade, f"Authorization: Bearer {bad}"), 403,
             "forbidden")
        assert not g.worker.seen, "one of them reached the worker"
        for answer in (says(b"rubbish\r\n\r\n", True),
                       lambda conn, r: True):
            g.heard(g.reg("put", "setting",
                          "security.circuit_breaker.failures",
                          "value=9").split()[-1])
            g.worker.answer = answer
            told(g.ask(post("/r", "x")), 502, "bad gateway")
        g.worker.answer = lambda conn, r: time.sleep(0.6)
        told(g.get("/r"), 504, "upstream timeout", retry_after="1")
        g.heard(g.reg("put", "setting", "security.circuit_breaker.failures",
                      "value=1").split()[-1])
        g.worker.answer = says(FAIL)
        assert g.get("/b").status == 500
        told(g.get("/b"), 503, "circuit breaker open", retry_after="30",
             body={"state": "open"})
        # nobody serves: it is not there yet, or about to go
        g.worker.answer = says(OK[:-4] + b"Connection: close\r\n\r\nok")
        g.pool.up = g.pool.max = 0
        for peer in g.pool.peers.values():
            g.pool.window(peer)
        g.heard(g.reg("put", "endpoint", "w#1", "worker=w", "state=draining",
                      f"path={g.run}/w.sock", "source=test").split()[-1])
        until(lambda: g.get("/r").status == 503)
        told(g.get("/r"), 503, "worker draining", retry_after="1")
        g.heard(g.reg("del", "endpoint", "w#1").split()[-1])
        told(g.get("/r"), 503, "worker not ready", retry_after="1")
        # the client's id comes back, and is in the log
        a = g.get("/nowhere", "X-Request-Id: mine-1")
        assert a.get("x-request-id") == ["mine-1"]
        assert g.log(1)[-1]["correlation_id"]


# ---- limits, headers, browsers, log ----------------------------------------

def overrides():
    with Gateway(routes=(("big", "POST", "/big", "limits=payload=100"),
                         ("any", "POST", "/any", "limits=payload=0"),
                         ("quick", "GET", "/quick", "limits=timeout-ms=100"),
                         ("r", "GET POST", "/r")),
                 payload_max_size=10) as g:
        assert g.ask(post("/r", "x" * 11)).status == 413
        assert g.ask(post("/big", "x" * 100)).status == 200
        assert g.ask(post("/big", "x" * 101)).status == 413
        assert g.ask(post("/any", "x" * 200000)).status == 200
        chunked = (b"POST /%s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                   b"chunked\r\n\r\n20\r\n" + b"x" * 32 + b"\r\n0\r\n\r\n")
        assert g.ask(chunked % b"r").status == 413
        assert g.ask(chunked % b"big").status == 200
        g.worker.answer = lambda conn, r: (time.sleep(0.3),
                                           conn.sendall(OK))[1]
        a = g.get("/quick")
        assert (a.status, a.error()) == (504, "upstream timeout")
        assert g.get("/r").status == 200


def fields():
    with Gateway(keys={"gateway.max_fields": 5}) as g:
        assert g.get("/", *(f"A{i}: x" for i in range(4))).status == 200
        assert g.get("/", *(f"A{i}: x" for i in range(5))).status == 431
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" +
                               b"A: b\r\n" * 5 + b"\r\n")
        assert g.get().status == 502


def header_rules():
    lines = "q- cookie\nq+ X-Env: prod\nq+ Accept: text/plain\n" \
            "a- server\na- X-Frame-Options\na+ Cache-Control: no-store"
    with Gateway(routes=(("r", "*", "/*rest", f"headers={lines}"),)) as g:
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nServer: x\r\nCache-Control: "
                               b"max-age=1\r\nContent-Length: 0\r\n\r\n")
        a = g.get("/", "Cookie: a=b", "X_Env: dev", "accept: */*", "COOKIE: c")
        r = g.worker.seen[-1]
        assert r.get("cookie") == [] and r.get("x-env") == ["prod"], r.fields
        assert r.get("accept") == ["text/plain"] and r.get("x_env") == []
        assert a.get("server") == [] and a.get("x-frame-options") == []
        assert a.get("cache-control") == ["no-store"], a.fields
        assert a.get("x-content-type-options") == ["nosniff"]
        # a long authority is said three times: there is room for it
        a = g.ask(b"GET / HTTP/1.1\r\nHost: " + b"h" * 3000 + b"\r\n\r\n")
        assert a.status == 200, a.status
        # a trailer cannot bring back what is taken out
        c = g.client()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
               b"\r\n1\r\nx\r\n0\r\nX-Env: dev\r\nOther: 1\r\n\r\n")
        assert c.answer().status == 200
        assert b"X-Env" not in g.worker.seen[-1].body
        assert b"Other: 1" in g.worker.seen[-1].body


def security_headers():
    with Gateway(keys={"security.headers": 0}) as g:
        assert g.get().get("x-frame-options") == []
        assert g.get("/%2f").get("x-frame-options") == []
    with Gateway() as g:
        for a in (g.get(), g.get("/%2f")):
            for name in ("x-content-type-options", "x-frame-options",
                         "x-xss-protection", "strict-transport-security",
                         "referrer-policy", "content-security-policy"):
                assert len(a.get(name)) == 1, name
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nX-Frame-Options: SAMEORIGIN"
                               b"\r\nContent-Length: 0\r\n\r\n")
        assert g.get().get("x-frame-options") == ["SAMEORIGIN"]


def traces():
    known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with Gateway() as g:
        g.get("/", f"traceparent: {known}", "tracestate: a=b")
        r = g.worker.seen[-1]
        assert r.get("traceparent") == [known] and \
            r.get("tracestate") == ["a=b"]
        made = set()
        for bad in (None, "00-x", known.replace("0af", "0AF"),
                    "00-" + "0" * 32 + known[35:], "ff" + known[2:],
                    known + "-x"):
            g.get("/", *([f"traceparent: {bad}", "tracestate: a=b"]
                         if bad else []))
            r = g.worker.seen[-1]
            t, = r.get("traceparent")
            assert t != bad and len(t) == 55 and t[:3] == "00-", t
            assert r.get("tracestate") == []
            made.add(t)
        assert len(made) == 6
        assert {line["trace_id"] for line in g.log(7)[1:]} == \
            {t[3:35] for t in made}


def cors():
    keys = {"cors.origins": "https://a.example https://b.example:8443",
            "cors.methods": "GET PUT", "cors.headers": "X-A Content-Type",
            "cors.expose": "X-B X-C", "cors.credentials": 1,
            "cors.max_age": 60000}
    with Gateway(routes=(("r", "GET PUT", "/r"), ("u", "GET", "/u",
                                                  "role=user"),
                         ("none", "*", "/none", "policy=none")),
                 keys=keys) as g:
        def pre(path, origin, *more):
            return g.ask("\r\n".join((
                f"OPTIONS {path} HTTP/1.1", "Host: h", f"Origin: {origin}",
                "Access-Control-Request-Method: PUT", *more, "", "")).encode())
        a = pre("/r", "https://a.example")
        assert a.status == 204 and \
            a.get("access-control-allow-origin") == ["https://a.example"]
        assert a.get("access-control-allow-methods") == ["GET, PUT"]
        assert a.get("access-control-allow-headers") == ["X-A, Content-Type"]
        assert a.get("access-control-max-age") == ["60"]
        assert a.get("access-control-allow-credentials") == ["true"]
        # one that needs a token is asked without
        assert pre("/u", "https://b.example:8443").status == 204
        a = pre("/r", "https://evil.example")
        assert a.status == 204 and \
            not a.get("access-control-allow-origin") and a.get("vary")
        assert pre("/nowhere", "https://a.example").status == 404
        assert not g.worker.seen, "a preflight reached the worker"
        g.worker.answer = says(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin"
                               b": *\r\nContent-Length: 0\r\n\r\n")
        a = g.get("/r", "Origin: https://a.example")
        assert a.get("access-control-allow-origin") == ["https://a.example"]
        assert a.get("access-control-expose-headers") == ["X-B, X-C"]
        assert "Origin" in a.get("vary")
        a = g.get("/r", "Origin: https://evil.example")
        assert a.status == 200 and not a.get("access-control-allow-origin")
        assert "Origin" in g.get("/r").get("vary")
        # the page may read our own answers too
        a = g.get("/u", "Origin: https://a.example")
        assert a.status == 401 and \
            a.get("access-control-allow-origin") == ["https://a.example"]
        # policy none: the worker's own
        a = pre("/none", "https://evil.example")
        assert a.status == 200 and \
            a.get("access-control-allow-origin") == ["*"]
        # OPTIONS of another sort is no preflight
        assert g.ask(b"OPTIONS /r HTTP/1.1\r\nHost: h\r\n\r\n").status == 405
    with Gateway(keys={"cors.origins": "*", "cors.headers": "*"}) as g:
        a = g.ask(b"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: https://x\r\n"
                  b"Access-Control-Request-Method: PUT\r\n"
                  b"Access-Control-Request-Headers: a, authorization\r\n\r\n")
        assert a.get("access-control-allow-origin") == ["*"]
        assert a.get("access-control-allow-headers") == ["a, authorization"]


def policy_none():
    with Gateway(routes=(("r", "*", "/*rest", "policy=none"),),
                 keys={"security.rate_limit.per_ip": 1}) as g:
        assert all(g.get().status == 200 for _ in range(5))
        a = g.get("/", "Authorization: Bearer rubbish")
        assert a.status == 200
        # what protects the gateway itself stays
        assert g.get("/%2f").status == 400


def text_log():
    with Gateway(keys={"gateway.access_log": "text"}) as g:
        g.get("/a%22b", "X-Request-Id: id-1")
        line = until(lambda: open(g.logfile, encoding="utf-8").read())
        words = line.split(" ")
        assert words[1:6] == ["127.0.0.1", '"-"', '"GET', '/a%22b"', "200"], \
            words
        assert words[8:] == ["id-1", "w#1\n"], words
        float(words[7])
        g.heard(g.reg("put", "setting", "gateway.access_log",
                      "value=off").split()[-1])
        g.get("/silent")
        time.sleep(0.1)
        with open(g.logfile, encoding="utf-8") as f:
            assert "silent" not in f.read()


def long_times():
    """A time that is longer than what can be counted is no time at all."""
    with Gateway() as g:
        for ms in ("9223372036854", "18446744073709", "9" * 30):
            for key in ("security.global_timeout", "gateway.idle_timeout",
                        "gateway.body_timeout"):
                g.heard(g.reg("put", "setting", key,
                              f"value={ms}").split()[-1])
                assert g.get().status == 200, (key, ms)


def bad_rows():
    """A row that cannot be read is for nobody: no broader route has it."""
    with Gateway(routes=(("r", "GET", "/r", "role=user"),
                         ("all", "*", "/*rest"))) as g:
        for bad in ("limits=per-ip=x", "limits=what=1", "policy=some",
                    "headers=q* a", "headers=q+ A b"):
            g.heard(g.reg("put", "route", "r", "method=GET", "path=/r",
                          "worker=w", bad).split()[-1])
            a = g.get("/r")
            assert (a.status, a.error()) == (503, "route cannot be used"), bad
            assert '"row":"r"' in g.err()
        g.heard(g.reg("put", "route", "new", "method=GET", "path=/new",
                      "worker=w", "limits=new=1", "role=x").split()[-1])
        assert g.get("/new").status == 503
        g.heard(g.reg("put", "route", "new", "method=GET", "path=/new",
                      "worker=w").split()[-1])
        assert g.get("/new").status == 200
        assert [r.line for r in g.worker.seen] == ["GET /new HTTP/1.1"]


if __name__ == "__main__":
    globals()[sys.argv[1]]()

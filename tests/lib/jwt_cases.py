# SPDX-License-Identifier: ISC
"""jwt_cases.py ALG KEY PUBLIC COUNT SEED - tokens good and bad, through
`vyx-token verify` in one process, compared with the verdict of PyJWT.

What we accept PyJWT must accept, with the same claims. What it accepts and we
refuse must be one of STRICTER, and the token must be as the row says.
"""
import base64
import json
import random
import re
import subprocess
import sys
import time

import jwt

ALG, KEY, PUBLIC, COUNT, SEED = sys.argv[1:6]
rnd = random.Random(int(SEED))
NOW = int(time.time())
SECRET = open(KEY, "rb").read()
CHECK = open(PUBLIC, "rb").read()
SIGN = jwt.get_algorithm_by_name(ALG) if hasattr(jwt, "get_algorithm_by_name") \
    else jwt.api_jws.PyJWS()._algorithms[ALG]
PREPARED = SIGN.prepare_key(SECRET)
TIMES = [str(NOW + d) for d in (-100000, -100, 100, 100000)] + [
    f"{NOW + 100}.5", f"{NOW - 100}.5", f'"{NOW + 100}"', '"x"', "null", "true",
    "0", "-1", "1e400", "-1e400", "1e15", "9007199254740993", "1e99",
    "99999999999999999999", "[]", "{}", '""', f"[{NOW + 100}]"]
STRINGS = ['"a"', '"me"', '"other"', '""', "1", "null", "[]", "{}", "true",
           '["me"]', '["other","me"]', '["other"]', '["me",1]', '"\\u0000"',
           '"\\ud800"', '"caf\u00e9"']
ROLES = ['["user","admin"]', "[]", '"user"', "[1]", '["user",null]', "{}",
         "null", json.dumps(["r"] * 64), json.dumps(["r"] * 65)]


def enc(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def pick(good, bad):
    return good if rnd.random() < 0.9 else rnd.choice(bad)


def claims():
    m = [('exp', pick(str(NOW + 1000), TIMES))]
    if rnd.random() < 0.5:
        m.append(("nbf", pick(str(NOW - 1000), TIMES)))
    if rnd.random() < 0.5:
        m.append(("iat", pick(str(NOW - 1000), TIMES)))
    m += [("iss", pick('"a"', STRINGS)), ("aud", pick('"me"', STRINGS)),
          ("sub", pick('"u"', STRINGS)), ("roles", pick('["user"]', ROLES))]
    if rnd.random() < 0.1:
        m.pop(rnd.randrange(len(m)))
    if rnd.random() < 0.05:
        m.append(rnd.choice(m))
    if rnd.random() < 0.05:
        m.append(("deep", rnd.choice(["[" * 31 + "]" * 31, "[" * 32 + "]" * 32,
                                     "[" * 1500 + "]" * 1500])))
    if rnd.random() < 0.02:
        m.append(("long", '"' + "x" * 7000 + '"'))
    rnd.shuffle(m)
    text = "{" + ",".join(f'"{k}":{v}' for k, v in m) + "}"
    if rnd.random() < 0.05:
        text = rnd.choice([text + " ", text + "x", text[:-1], "[" + text + "]",
                           "1", "", "null", text + "\0", text.replace(":", " : "),
                           "\ufeff" + text])
    return text.encode()


def header():
    m = [("alg", f'"{ALG}"'), ("typ", '"JWT"')]
    r = rnd.random()
    if r < 0.05:
        m[0] = ("alg", rnd.choice(['"none"', '"None"', '"NONE"', '"nOnE"', '""',
                                   "null", "1", f'"{ALG.lower()}"', '"HS256"',
                                   '"HS384"', '"RS256"', '"ES256"', '"EdDSA"',
                                   f'["{ALG}"]']))
    elif r < 0.10:
        m[1] = ("typ", rnd.choice(['"jwt"', '"at+JWT"', '"JWS"', "1", "null",
                                   '"application/jwt"']))
    elif r < 0.13:
        m.append(("crit", rnd.choice(['["exp"]', "[]", '["b64"]', "null"])))
    elif r < 0.16:
        m.append(("kid", rnd.choice(['"k"', "1", "null", '"../../dev/null"'])))
    elif r < 0.19:
        m.append(rnd.choice(m))
    elif r < 0.21:
        m.append(("b64", rnd.choice(["true", "false", "1"])))
    elif r < 0.23:
        m.pop(0)
    elif r < 0.25:
        m.pop(1)
    return ("{" + ",".join(f'"{k}":{v}' for k, v in m) + "}").encode()


def mangle(t):
    h, p, s = t.split(".")
    tail = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return rnd.choice([
        lambda: t + "=", lambda: t + "==", lambda: f"{h}=.{p}.{s}",
        lambda: f"{h}.{p}.", lambda: f"{h}.{p}", lambda: t + ".",
        lambda: t + "." + s, lambda: "." + t, lambda: f".{p}.{s}",
        lambda: f"{h}..{s}", lambda: "..", lambda: t[:-1], lambda: t[:-2],
        lambda: t[:-1] + rnd.choice(tail), lambda: t + "A", lambda: t + " ",
        lambda: " " + t, lambda: f"{h}.{p}.{s[:5]} {s[5:]}",
        lambda: f"{h}.{p}.{s[:5]}!{s[5:]}", lambda: f"{h}.{p}.{s[:5]}+/{s[7:]}",
        lambda: f"{h}.{p[:-1]}{rnd.choice(tail)}.{s}",
        lambda: f"{h[:-1]}{rnd.choice(tail)}.{p}.{s}",
        lambda: f"{h}.{p}.{s[::-1]}",
        lambda: f"{h}.{p}.{enc(bytes(len(s) * 3 // 4))}",
        lambda: f"{h}.{p}.{enc(b'' if ALG == 'none' else bytes(1))}",
    ])()


def token():
    head, body = enc(header()), enc(claims())
    # by the key of the configuration; the public key as an HMAC secret is the
    # swap of CVE-2015-9235
    if rnd.random() < 0.05:
        import hashlib
        import hmac
        sig = hmac.new(CHECK, f"{head}.{body}".encode(), hashlib.sha256).digest()
        if ALG != "HS256":
            head = enc(b'{"alg":"HS256","typ":"JWT"}')
            sig = hmac.new(CHECK, f"{head}.{body}".encode(),
                           hashlib.sha256).digest()
    else:
        sig = SIGN.sign(f"{head}.{body}".encode(), PREPARED)
    t = f"{head}.{body}.{enc(sig)}"
    return mangle(t) if rnd.random() < 0.2 else t


def theirs(t):
    try:
        return jwt.decode(t, CHECK, algorithms=[ALG], issuer="a", audience="me",
                          options={"require": ["exp"]})
    except Exception:  # whatever it raises is a refusal
        return None


def part(t, i):
    return base64.urlsafe_b64decode(t.split(".")[i] + "===")


def twice(text):
    found = []

    def hook(pairs):
        names = [k for k, _ in pairs]
        found.append(len(names) != len(set(names)))
        return dict(pairs)
    json.loads(text, object_pairs_hook=hook)
    return any(found)


def json_odd(text):
    """Python reads what RFC 8259 or 64 bits do not have: NaN, 1e400, \\u0000,
    lone surrogates, 2000 levels, integers of any size."""
    s = text.decode()
    return twice(text) or re.search(r"1e400|\[{32}|\\u0000|\\ud800|\d{20}|^\ufeff", s)


def number(j):
    return isinstance(j, (int, float)) and not isinstance(j, bool) and \
        abs(j) <= 2 ** 53


def texts(j, n=1 << 30):
    return isinstance(j, list) and len(j) <= n and \
        all(isinstance(x, str) for x in j)


def head_of(t):
    return json.loads(part(t, 0))


def claims_in(t):
    return json.loads(part(t, 1))


# What PyJWT takes and we refuse on purpose: our reason, and how such a token is.
STRICTER = {
    "the token is too long": lambda t: len(t) > 8192,
    # padding, blanks, bytes of no alphabet, bits that are left over
    "a part is no base64url": lambda t: any(
        enc(base64.urlsafe_b64decode(p + "===")) != p for p in t.split(".")),
    "the header is no JSON object": lambda t: json_odd(part(t, 0)),
    "the header demands an extension":
        lambda t: "crit" in head_of(t) or head_of(t).get("b64") is not True,
    "typ is neither JWT nor at+jwt": lambda t: str(head_of(t)["typ"]).lower()
        not in ("jwt", "at+jwt"),
    "no key has this kid": lambda t: not isinstance(head_of(t)["kid"], str),
    "the claims are no JSON object": lambda t: json_odd(part(t, 1)),
    "exp, nbf and iat are numbers": lambda t: not all(
        number(claims_in(t)[k]) for k in ("exp", "nbf", "iat")
        if k in claims_in(t)),
    "sub and jti are strings": lambda t: not isinstance(claims_in(t)["sub"], str),
    "roles is a list of strings": lambda t: not texts(claims_in(t)["roles"], 64),
}

tokens = [t for t in (token() for _ in range(int(COUNT))) if "\n" not in t]
p = subprocess.run(["vyx-token", "verify", "-a", ALG, "-K", PUBLIC, "iss=a",
                    "aud=me"], input="\n".join(tokens) + "\n", text=True,
                   capture_output=True)
if p.returncode != 1:
    sys.exit(f"exit {p.returncode}: {p.stderr[-500:]}")
why = {int(n): w for n, w in
       re.findall(r"^vyx-token: line (\d+): (.*)$", p.stderr, re.M)}
out = iter(p.stdout.splitlines())
both = neither = 0
seen, bad = {}, []
for n, t in enumerate(tokens, 1):
    ours = None if n in why else json.loads(next(out))
    other = theirs(t)
    if ours is not None and ours == other:
        both += 1
    elif ours is None and other is None:
        neither += 1
    elif ours is None and why[n] in STRICTER and STRICTER[why[n]](t):
        seen[why[n]] = seen.get(why[n], 0) + 1
    else:
        bad.append(f"{t}\n  ours {why.get(n, ours)}, PyJWT {other}")
if next(out, None) is not None:
    bad.append("more lines than tokens")
print(f"{ALG}: {len(tokens)} tokens, {both} good, {neither} bad to both, "
      f"{sum(seen.values())} stricter, {len(bad)} differ")
for w in STRICTER:
    if w not in seen:
        bad.append(f"no token was refused as: {w}")
print("\n".join(bad[:10]))
sys.exit(bool(bad))

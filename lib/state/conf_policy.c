/* SPDX-License-Identifier: ISC */
/* conf_policy - what the gateway does with requests before a worker has them:
 * gateway.*, jwt.* and cors.*, and what a route says otherwise. */
#include <stdio.h>

#include "base/units.h"
#include "state/cidr.h"
#include "state/conf_int.h"
#include "state/jwt.h"
#include "wire/http1.h"

#define JOINED_MAX 65536 /* bytes of field `value` */
#define FIELDS_MAX 16384 /* of field `headers` */
#define CORS_LIST 1000   /* of one line of an answer, less its name */

static unsigned
line_of(const struct vyx_conf_val *v)
{
	return v->line ? v->line : 1;
}

/* The items of a list become one value, a blank between two. A text of no
 * bytes is a list of no items. */
static void
check_list(struct vyx_conf *c, enum vyx_conf_key k)
{
	struct vyx_conf_val *v = &c->v[k];
	size_t bytes = 0;

	if (v->n == 1 && !v->list[0].n)
		v->n = 0;
	for (size_t i = 0; i < v->n; i++) {
		bytes += v->list[i].n + 1;
		if (!v->list[i].n || memchr(v->list[i].p, ' ', v->list[i].n))
			vyx_doc_error(&c->yaml, line_of(v),
			    vyx_conf_keys[k].path,
			    "%s must be one word, without blanks",
			    VYX_SHOW(v->list[i]));
	}
	if (bytes > JOINED_MAX)
		vyx_doc_error(&c->yaml, line_of(v), vyx_conf_keys[k].path,
		    "more than %d bytes together: shorten it", JOINED_MAX);
}

static void
check_proxies(struct vyx_conf *c)
{
	const struct vyx_conf_val *v = &c->v[VYX_K_TRUSTED_PROXIES];
	struct vyx_cidrs set = { 0 };
	const char *why;

	for (size_t i = 0; i < v->n; i++)
		if (!vyx_cidrs_add(&set, v->list[i], &why))
			vyx_doc_error(&c->yaml, line_of(v),
			    "gateway.trusted_proxies", "%s: %s",
			    VYX_SHOW(v->list[i]), why);
	vyx_cidrs_free(&set);
}

/* At most one file has the key of tokens; NULL: none. */
static const char *
key_file(struct vyx_conf *c)
{
	static const enum vyx_conf_key files[] = { VYX_K_JWT_SECRET_FILE,
		VYX_K_JWT_PUBLIC_KEY_FILE, VYX_K_JWT_JWKS_FILE };
	const char *first = NULL;

	for (size_t i = 0; i < VYX_COUNT(files); i++) {
		const struct vyx_conf_val *v = &c->v[files[i]];
		const char *path = vyx_conf_keys[files[i]].path;

		if (!v->text.n)
			continue;
		if (first)
			vyx_doc_error(&c->yaml, line_of(v), path,
			    "%s has the key already: keep one of the two",
			    first);
		else
			first = path;
	}
	return first;
}

static void
check_jwt(struct vyx_conf *c)
{
	const struct vyx_conf_val *v = &c->v[VYX_K_JWT_ALGORITHM];
	const char *file = key_file(c), *key = "jwt.algorithm";
	int secret = !file || !strcmp(file, "jwt.secret_file");
	unsigned of = 0; /* secrets, public keys */

	for (size_t i = 0; i < v->n; i++) {
		enum vyx_jwt_alg a = vyx_jwt_alg_scan(v->list[i]);

		if (a == VYX_JWT_NONE)
			vyx_doc_error(&c->yaml, line_of(v), key,
			    "%s is none of HS256, HS384, HS512, RS256 and "
			    "ES256",
			    VYX_SHOW(v->list[i]));
		else
			of |= VYX_JWT_BIT(a) & VYX_JWT_HMAC ? 1 : 2;
	}
	if (of == 3)
		vyx_doc_error(&c->yaml, line_of(v), key,
		    "HS tokens need a secret, RS and ES tokens a public key: "
		    "keep those of one kind");
	else if (of == 1 && !secret)
		vyx_doc_error(&c->yaml, line_of(v), key,
		    "HS tokens need a secret, and %s has public keys", file);
	else if (of == 2 && secret)
		vyx_doc_error(&c->yaml, line_of(v), key,
		    "RS and ES tokens need jwt.public_key_file or "
		    "jwt.jwks_file, not %s",
		    file ? file : "security.jwt_secret_env");
}

/* How many bytes of `s`, from `at` on, are of `set`. */
static size_t
span(struct vyx_str s, size_t at, const char *set)
{
	size_t n = at;

	while (n < s.n && s.p[n] && strchr(set, s.p[n]))
		n++;
	return n - at;
}

/* scheme://host[:port], as browsers write it (RFC 6454 6.2). */
static int
origin_ok(struct vyx_str s)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
	size_t at = span(s, 0, name), n;
	struct vyx_str rest;
	uint64_t port;

	rest = (struct vyx_str){ s.p + at, s.n - at };
	if (!at || !vyx_str_starts(rest, VYX_STR("://")))
		return 0;
	at += 3;
	if (at < s.n && s.p[at] == '[') {
		n = 1 + span(s, at + 1, "0123456789abcdef:.");
		if (n < 3 || at + n == s.n || s.p[at + n++] != ']')
			return 0;
	} else if (!(n = span(s, at, name)))
		return 0;
	at += n;
	rest = (struct vyx_str){ s.p + at + 1, s.n - at - 1 };
	return at == s.n ||
	    (s.p[at] == ':' && vyx_dec_scan(rest, 65535, &port) && port);
}

static void
check_origins(struct vyx_conf *c)
{
	const struct vyx_conf_val *v = &c->v[VYX_K_CORS_ORIGINS];

	for (size_t i = 0; i < v->n; i++) {
		struct vyx_str s = v->list[i];

		if (vyx_str_eq(s, VYX_STR("*"))) {
			if (c->v[VYX_K_CORS_CREDENTIALS].num)
				vyx_doc_error(&c->yaml,
				    line_of(&c->v[VYX_K_CORS_CREDENTIALS]),
				    "cors.credentials",
				    "not with cors.origins *: name the "
				    "origins");
		} else if (!origin_ok(s))
			vyx_doc_error(&c->yaml, line_of(v), "cors.origins",
			    "%s is no origin: write SCHEME://HOST[:PORT] in "
			    "lower case without a path, such as "
			    "https://app.example.org, or *",
			    VYX_SHOW(s));
	}
}

/* Names of methods or header fields; *: all of them, where `any` says so. */
static void
check_tokens(struct vyx_conf *c, enum vyx_conf_key k, const char *what, int any)
{
	const struct vyx_conf_val *v = &c->v[k];
	size_t all = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct vyx_str s = v->list[i];

		all += s.n + 2; /* as each answer has them, with commas */
		if (any && vyx_str_eq(s, VYX_STR("*"))) {
			if (c->v[VYX_K_CORS_CREDENTIALS].num)
				vyx_doc_error(&c->yaml, line_of(v),
				    vyx_conf_keys[k].path,
				    "not * with cors.credentials: name them");
		} else if (s.n > 64 || !vyx_http1_token(s) ||
		    vyx_str_eq(s, VYX_STR("*")))
			vyx_doc_error(&c->yaml, line_of(v),
			    vyx_conf_keys[k].path,
			    "%s is no name of a %s: a word of 64 bytes at "
			    "most is needed",
			    VYX_SHOW(s), what);
	}
	if (all > CORS_LIST)
		vyx_doc_error(&c->yaml, line_of(v), vyx_conf_keys[k].path,
		    "%zu bytes in an answer are too many: %d at most", all,
		    CORS_LIST);
}

void
vyx_conf_check_policy(struct vyx_conf *c)
{
	unsigned before = c->notes.errors;

	for (enum vyx_conf_key k = 0; k < VYX_K_WORKER; k++)
		if (vyx_conf_keys[k].type == VYX_LIST_KEY && k != VYX_K_LISTEN)
			check_list(c, k);
	if (c->notes.errors > before)
		return; /* said once is enough */
	check_proxies(c);
	check_jwt(c);
	check_origins(c);
	check_tokens(c, VYX_K_CORS_METHODS, "method", 0);
	check_tokens(c, VYX_K_CORS_HEADERS, "header field", 1);
	check_tokens(c, VYX_K_CORS_EXPOSE, "header field", 0);
}

/* Of a route. */

#define R(key) (&r->v[VYX_K_R_##key - VYX_K_ROUTE])

static void
policy(struct vyx_conf_route *r)
{
	const struct vyx_conf_val *v = R(POLICY);
	const char *with = r->n_roles                         ? "roles"
	    : r->validate.n                                   ? "validate"
	    : R(RATE_PER_IP)->line || R(RATE_PER_TOKEN)->line ? "rate_limit"
	                                                      : NULL;

	if (!vyx_str_eq(v->text, VYX_STR("none")))
		return;
	r->policy = v->text;
	if (with)
		vyx_doc_error(r->doc, v->line, "",
		    "%s.policy is none, but it has %s: take out one of the "
		    "two",
		    r->key, with);
}

static void
put_limit(struct vyx_buf *b, const char *name, const struct vyx_conf_val *v,
    int64_t num)
{
	if (!v->line)
		return;
	vyx_buf_fmt(b, "%s%s=", b->n ? " " : "", name);
	if (v->off)
		vyx_buf_puts(b, "off");
	else
		vyx_buf_putu(b, num > 0 ? (uint64_t)num : 0);
}

static struct vyx_str
limits(struct vyx_conf *c, const struct vyx_conf_route *r)
{
	struct vyx_buf b = { 0 };
	struct vyx_str s;
	int64_t ns = R(TIMEOUT)->num;

	put_limit(&b, "payload", R(PAYLOAD_MAX), R(PAYLOAD_MAX)->num);
	put_limit(&b, "timeout-ms", R(TIMEOUT),
	    ns / VYX_NS_MS + (ns % VYX_NS_MS > 0));
	put_limit(&b, "per-ip", R(RATE_PER_IP), R(RATE_PER_IP)->num);
	put_limit(&b, "per-token", R(RATE_PER_TOKEN), R(RATE_PER_TOKEN)->num);
	s = vyx_notes_copy(&c->notes, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return s;
}

/* The names that one side of a route sets and removes, for one who comes
 * twice. */
struct side {
	struct vyx_conf_route *r;
	struct vyx_str names[2 * VYX_CONF_FIELDS];
	size_t n;
};

static void
put_field(struct side *s, struct vyx_buf *b, const char *key,
    const struct vyx_conf_val *v, struct vyx_str text, const char *mark)
{
	struct vyx_str rest = text, name = vyx_str_cut(&rest, ':');

	for (size_t i = 0; i < s->n; i++)
		if (vyx_str_caseeq(s->names[i], name))
			vyx_doc_error(s->r->doc, v->line, key,
			    "%s stands twice: a field is set once, or removed",
			    VYX_SHOW(name));
	if (s->n < VYX_COUNT(s->names))
		s->names[s->n++] = name;
	vyx_buf_fmt(b, "%s%s ", b->n ? "\n" : "", mark);
	vyx_buf_putstr(b, text);
}

/* The lines of one side: what goes, then what comes. */
static size_t
side(struct vyx_conf_route *r, struct vyx_buf *b, const char *name,
    const struct vyx_conf_val *gone, const struct vyx_conf_val *set,
    const char *marks[2])
{
	struct side s = { .r = r };
	char key[100];

	snprintf(key, sizeof key, "%s.%s.remove", r->key, name);
	for (size_t i = 0; i < gone->n; i++)
		if (vyx_conf_field(r->doc, gone->line, key, gone->list[i]))
			put_field(&s, b, key, gone, gone->list[i], marks[0]);
	snprintf(key, sizeof key, "%s.%s.set", r->key, name);
	for (size_t i = 0; i < set->n; i++)
		put_field(&s, b, key, set, set->list[i], marks[1]);
	return gone->n + set->n;
}

static struct vyx_str
headers(struct vyx_conf *c, struct vyx_conf_route *r)
{
	struct vyx_buf b = { 0 };
	struct vyx_str s;
	size_t n;

	n = side(r, &b, "request_headers", R(REQUEST_REMOVE), R(REQUEST_SET),
	    (const char *[]){ "q-", "q+" });
	n += side(r, &b, "response_headers", R(ANSWER_REMOVE), R(ANSWER_SET),
	    (const char *[]){ "a-", "a+" });
	if (n > VYX_CONF_FIELDS)
		vyx_doc_error(r->doc, r->line, r->key,
		    "%zu header fields to set and remove are too many: %d at "
		    "most",
		    n, VYX_CONF_FIELDS);
	else if (b.n > FIELDS_MAX)
		vyx_doc_error(r->doc, r->line, r->key,
		    "its header fields have more than %d bytes together: "
		    "shorten them",
		    FIELDS_MAX);
	s = vyx_notes_copy(&c->notes, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return s;
}

void
vyx_conf_route_policy(struct vyx_conf *c, struct vyx_conf_route *r)
{
	policy(r);
	r->limits = limits(c, r);
	r->headers = headers(c, r);
}

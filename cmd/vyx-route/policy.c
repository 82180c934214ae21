/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <stdio.h>

#include "router.h"

/*
 * What is asked of a request before a worker sees it, in this order: whom it
 * is from, rates, size, route, breaker, token, roles; its content comes last
 * (doc.c). Each check is 0 when it has answered.
 */

/* ---- whom it is from -------------------------------------------------- */

#define PROXIES 32 /* lines of X-Forwarded-For that are looked at */

/* An address as text; IPv4 as it is written. */
static void
ip_text(char out[46], const uint8_t ip[16])
{
	static const uint8_t four[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(ip, four, sizeof four))
		inet_ntop(AF_INET6, ip, out, 46);
	else
		inet_ntop(AF_INET, ip + 12, out, 46);
}

/* The client behind a proxy that is trusted, and how he came to it. */
static void
behind(struct exchange *x)
{
	const struct vyx_http1 *h = &x->req;
	const struct vyx_http1_field *proto =
	    vyx_http1_find(h, VYX_H_X_FORWARDED_PROTO);
	struct vyx_str v[PROXIES] = { 0 };
	const uint8_t *who;
	size_t n = 0;

	for (uint32_t i = 0; i < h->nfield; i++)
		if (h->field[i].id == VYX_H_X_FORWARDED_FOR) {
			/* the last lines are those that are believed */
			if (n == PROXIES)
				memmove(v, v + 1, --n * sizeof *v);
			v[n++] = vyx_http1_str(h, h->field[i].value);
		}
	who =
	    vyx_forwarded_client(x->ip, v, n, &x->r->gate.trusted, x->ip_room);
	if (proto)
		x->tls = (uint8_t)vyx_str_caseeq(vyx_http1_str(h, proto->value),
		    VYX_STR("https"));
	if (who == x->ip)
		return;
	x->ip = who;
	ip_text(x->peer_room, who);
	x->peer = x->peer_room;
}

void
policy_client(struct exchange *x)
{
	const struct vyx_guest *g = &x->client->guest;
	const struct vyx_cidrs *t = &x->r->gate.trusted;

	x->ip = g->local ? NULL : g->ip;
	x->tls = g->tls;
	if ((t->n || t->local) && vyx_cidrs_have(t, x->ip))
		behind(x);
}

/* ---- rates ------------------------------------------------------------ */

struct take {
	uint64_t key, limit;
};

static int
take(struct exchange *x, struct take t)
{
	struct vyx_limit_got got;
	char lines[VYX_LIMIT_HEADERS];
	size_t n;

	if (t.limit == VYX_POLICY_OFF)
		return 1;
	got = vyx_limit_take(&x->r->gate.limit, t.key, (int64_t)t.limit,
	    x->r->loop.now / VYX_MS);
	if (got.allowed)
		return 1;
	n = vyx_limit_headers(lines, sizeof lines, (int64_t)t.limit, &got);
	x->r->counts.limited++;
	answer_more(x, 429, "too many requests", (struct vyx_str){ lines, n });
	return 0;
}

/* A route's own limit is counted apart; `salt` says so. */
static uint64_t
limit_of(uint64_t own, uint64_t all, uint64_t *salt)
{
	if (own == VYX_POLICY_SAME) {
		*salt = 0;
		return all;
	}
	return own;
}

/* The token of `Bearer TOKEN`, in any case, or of a value that is a token
 * alone. *twice: there is more than one such field, so whose is it? */
static struct vyx_str
bearer(const struct vyx_http1 *h, int *twice)
{
	const struct vyx_http1_field *f =
	    vyx_http1_find(h, VYX_H_AUTHORIZATION);
	struct vyx_str v, scheme;

	*twice = 0;
	if (!f)
		return VYX_STR("");
	for (const struct vyx_http1_field *g = f + 1; g < h->field + h->nfield;
	     g++)
		*twice |= g->id == VYX_H_AUTHORIZATION;
	v = vyx_http1_str(h, f->value);
	scheme = vyx_str_cut(&v, ' ');
	if (!v.p)
		return scheme;
	if (!vyx_str_caseeq(scheme, VYX_STR("Bearer")))
		return VYX_STR("");
	while (v.n && *v.p == ' ') {
		v.p++;
		v.n--;
	}
	return v;
}

/* Who is counted: one token has one count, however it is written. */
static struct vyx_str
bearer_or_all(const struct exchange *x, const struct vyx_http1_field *f)
{
	int twice;
	struct vyx_str token = bearer(&x->req, &twice);

	return token.n ? token : vyx_http1_str(&x->req, f->value);
}

int
policy_rate(struct exchange *x)
{
	const struct vyx_plan_settings *s = &x->r->plan.set;
	const struct vyx_limit *l = &x->r->gate.limit;
	const struct vyx_policy *p = x->policy;
	const struct vyx_http1_field *f =
	    vyx_http1_find(&x->req, VYX_H_AUTHORIZATION);
	uint64_t ip_salt = 0, token_salt = 0, ip = s->per_ip,
	         token = s->per_token;
	static const uint8_t none[16];

	if (!x->r->gate.limited || (p && p->none))
		return 1;
	if (p &&
	    (p->per_ip != VYX_POLICY_SAME || p->per_token != VYX_POLICY_SAME)) {
		ip_salt = token_salt = vyx_hash(none, p->key.p, p->key.n);
		ip = limit_of(p->per_ip, ip, &ip_salt);
		token = limit_of(p->per_token, token, &token_salt);
	}
	if (ip != VYX_POLICY_OFF &&
	    !take(x, (struct take){ vyx_limit_key_ip(l, ip_salt, x->ip), ip }))
		return 0;
	if (!f || token == VYX_POLICY_OFF)
		return 1;
	return take(x,
	    (struct take){
	        vyx_limit_key_token(l, token_salt, bearer_or_all(x, f)),
	        token });
}

/* ---- browsers of other origins ---------------------------------------- */

/* Whether answers to it say so. */
int
policy_browser(const struct exchange *x)
{
	return x->r->gate.cors.origins.n && !(x->policy && x->policy->none);
}

static struct vyx_str
origin(const struct exchange *x)
{
	const struct vyx_http1_field *f = vyx_http1_find(&x->req, VYX_H_ORIGIN);

	return f ? vyx_http1_str(&x->req, f->value) : VYX_STR("");
}

/* The lines that each answer has, in r->lines. */
struct vyx_str
policy_cors(struct exchange *x)
{
	char *out = x->r->lines;

	if (!x->cors)
		return VYX_STR("");
	return (struct vyx_str){ out,
		vyx_cors_answer(&x->r->gate.cors, origin(x), out,
		    VYX_CORS_LINES) };
}

static struct vyx_str
field(const struct vyx_http1 *h, struct vyx_str name)
{
	for (uint32_t i = 0; i < h->nfield; i++)
		if (vyx_str_caseeq(vyx_http1_name(h, &h->field[i]), name))
			return vyx_http1_str(h, h->field[i].value);
	return VYX_STR("");
}

/* A preflight is the gateway's to answer: the worker has no say in CORS. */
int
policy_preflight(struct exchange *x)
{
	char *lines = x->r->lines + VYX_CORS_LINES;
	size_t n;

	if (!x->cors || x->verb != VYX_METHOD_OPTIONS || !origin(x).n ||
	    !field(&x->req, VYX_STR("access-control-request-method")).n)
		return 1;
	n = vyx_cors_preflight(&x->r->gate.cors, origin(x),
	    field(&x->req, VYX_STR("access-control-request-headers")), lines,
	    VYX_CORS_LINES - VYX_LIMIT_HEADERS);
	answer_more(x, 204, NULL, (struct vyx_str){ lines, n });
	return 0;
}

/* ---- breaker ---------------------------------------------------------- */

static void
shut(struct exchange *x, uint32_t retry_s)
{
	char line[40], json[64];
	int n = snprintf(line, sizeof line, "Retry-After: %u\r\n", retry_s);
	int m = snprintf(json, sizeof json,
	    "{\"error\":\"circuit breaker open\",\"state\":\"%s\"}\n",
	    vyx_breaker_word(&x->policy->breaker));

	x->r->counts.shut++;
	answer_json(x, 503, (struct vyx_str){ json, (size_t)m },
	    (struct vyx_str){ line, (size_t)n });
}

/* Before anything costs: is it open? */
int
policy_open(struct exchange *x)
{
	uint32_t s = x->policy->none ? 0
	                             : vyx_breaker_shut(&x->policy->breaker,
	                                   &x->r->gate.breaker, x->r->loop.now);

	if (s)
		shut(x, s);
	return !s;
}

/* The request is to go to a worker, for the first time. */
int
policy_enter(struct exchange *x)
{
	uint32_t s;

	if (x->policy->none ||
	    vyx_breaker_enter(&x->policy->breaker, &x->r->gate.breaker,
	        x->r->loop.now, &x->permit, &s))
		return 1;
	shut(x, s);
	return 0;
}

static __attribute__((noinline, cold)) void
say_state(const struct exchange *x)
{
	const struct vyx_breaker *b = &x->policy->breaker;
	char key[256];

	snprintf(key, sizeof key, "%.*s", (int)x->policy->key.n,
	    x->policy->key.p);
	vyx_log(b->state == VYX_BREAKER_OPEN ? VYX_WARN : VYX_INFO,
	    "circuit breaker", "route", key, "state", vyx_breaker_word(b),
	    NULL);
}

void
policy_leave(struct exchange *x, enum vyx_breaker_end end)
{
	if (x->permit.held &&
	    vyx_breaker_leave(&x->policy->breaker, &x->r->gate.breaker,
	        x->r->loop.now, &x->permit, end))
		say_state(x);
}

/* The head of the answer is in. A trial is over with it; other permits wait
 * for the end, for an answer that breaks off is a failure. */
void
policy_answered(struct exchange *x)
{
	if (x->ans.code >= 500)
		policy_leave(x, VYX_BREAKER_BAD);
	else if (x->permit.trial || x->ans.code == 101)
		policy_leave(x, VYX_BREAKER_GOOD);
}

/* ---- tokens and roles ------------------------------------------------- */

/* 401, with what is wrong with the token; NULL: there is none. */
static int
unauthorized(struct exchange *x, const char *why)
{
	char line[200] = "WWW-Authenticate: Bearer\r\n";

	if (why)
		snprintf(line, sizeof line,
		    "WWW-Authenticate: Bearer error=\"invalid_token\", "
		    "error_description=\"%s\"\r\n",
		    why);
	x->r->counts.unauthorized++;
	answer_more(x, 401, "unauthorized", VYX_STRZ(line));
	return 0;
}

static int
listed(const struct vyx_policy *p, struct vyx_str role)
{
	for (size_t i = 0; role.n && i < p->n_roles; i++)
		if (vyx_str_eq(p->role[i], role))
			return 1;
	return 0;
}

/* NULL: it counts, and *c says what it says. */
static const char *
check(struct exchange *x, struct vyx_str token, struct vyx_jwt_claims *c)
{
	struct gate *g = &x->r->gate;
	int64_t now = vyx_wall_seconds(&x->r->wall, x->r->loop.now);
	enum vyx_jwt_got got;

	if (!g->keys)
		return "no key is configured";
	if (g->cache && vyx_jwt_cache_get(g->cache, token, now, c))
		return NULL;
	got = vyx_jwt_check(g->keys, &g->rules, token, now, c);
	if (got != VYX_JWT_OK)
		return vyx_jwt_why(got);
	if (g->cache)
		vyx_jwt_cache_put(g->cache, token, c, g->rules.leeway_s);
	return NULL;
}

/* The route has roles. */
static __attribute__((noinline)) int
asked(struct exchange *x)
{
	const struct vyx_policy *p = x->policy;
	struct vyx_jwt_claims c;
	struct vyx_str token;
	const char *why;
	int twice, ok;

	token = bearer(&x->req, &twice);
	if (twice)
		return unauthorized(x, "there is more than one");
	if (!token.n)
		return listed(p, vyx_buf_str(&x->r->plan.text.anonymous_role))
		    ? 1
		    : unauthorized(x, NULL);
	if ((why = check(x, token, &c)) != NULL)
		return unauthorized(x, why);
	x->user.n = 0;
	ok = vyx_buf_putstr(&x->user, c.sub) &&
	    vyx_jwt_has_role(&c, p->role, p->n_roles);
	vyx_jwt_claims_free(&c);
	if (ok)
		return 1;
	x->r->counts.forbidden++;
	answer(x, 403, "forbidden");
	return 0;
}

int
policy_token(struct exchange *x)
{
	return !x->policy->n_roles || x->policy->none || asked(x);
}

/* ---- limits ----------------------------------------------------------- */

uint64_t
policy_payload(const struct exchange *x)
{
	if (x->policy && x->policy->payload_max != VYX_POLICY_SAME)
		return x->policy->payload_max;
	return x->r->plan.set.payload_max;
}

uint64_t
policy_timeout(const struct exchange *x)
{
	if (x->policy && x->policy->timeout != VYX_POLICY_SAME)
		return x->policy->timeout;
	return x->r->plan.set.global_timeout;
}

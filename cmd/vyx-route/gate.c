/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "router.h"

/*
 * What the settings make of a router: the keys of tokens, whom it believes,
 * what browsers are told, the counts that all routers share. Made anew at each
 * commit that changes a setting; keys also at SIGHUP.
 */

#define LIMIT_ENTRIES 131072 /* 2 MiB */
#define KEY "VYX_JWT_KEY"    /* a file in place of what settings name */
#define TEXT(r, member) vyx_buf_str(&(r)->plan.text.member)

/* ---- tokens ----------------------------------------------------------- */

/* A key's file, terminated, into b. 0: errno. */
static int
slurp(const char *path, struct vyx_buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	ssize_t n = -1;

	if (fd < 0)
		return 0;
	b->max = VYX_JWT_TEXT_MAX;
	while (vyx_buf_room(b, 4097) && (n = read(fd, b->p + b->n, 4096)) > 0)
		b->n += (size_t)n;
	saved = errno;
	close(fd);
	errno = saved;
	return n == 0;
}

static void
left_out(void *arg, size_t i, const char *why)
{
	(void)arg;
	vyx_log(VYX_WARN, "a key of the JWKS is left out", "key", VYX_NUM(i),
	    "why", why, NULL);
}

/* What everybody may know signs nothing: a file of public keys is no secret,
 * though settings that lag behind it, or a slip in them, say so. */
static int
is_public(struct vyx_str text)
{
	const char *why;
	struct vyx_jwt_keys *k = vyx_jwt_keys_pem(text, &why);
	int yes;

	if (!k)
		k = vyx_jwt_keys_jwks(text, NULL, NULL, &why);
	yes = k != NULL;
	vyx_jwt_keys_free(k);
	return yes;
}

static struct vyx_jwt_keys *
from_secret(struct vyx_str s, const char **why)
{
	struct vyx_jwt_keys *k = vyx_jwt_keys_secret(s, why);

	if (k && s.n < 32)
		vyx_log(VYX_WARN,
		    "the secret of tokens is shorter than 32 bytes: it may be "
		    "guessed from one of them (RFC 7518 3.2)",
		    NULL);
	return k;
}

/* `kind` is s, p or w: secret, PEM, JWKS. */
static struct vyx_jwt_keys *
from_file(char kind, struct vyx_str name, const char **why)
{
	const char *instead = getenv(KEY);
	struct vyx_jwt_keys *k = NULL;
	struct vyx_buf b = { 0 };
	char *path = instead ? strdup(instead) : vyx_str_dup(name);

	*why = "out of memory";
	if (!path || !slurp(path, &b)) {
		if (path)
			*why = strerror(errno);
	} else if (kind == 'p')
		k = vyx_jwt_keys_pem(vyx_buf_str(&b), why);
	else if (kind == 'w')
		k = vyx_jwt_keys_jwks(vyx_buf_str(&b), left_out, NULL, why);
	else if (is_public(vyx_buf_str(&b)))
		*why = "it has public keys, and is no secret";
	else {
		/* the line's end is the editor's, as vyx-token has it */
		if (b.n && b.p[b.n - 1] == '\n')
			b.n--;
		k = from_secret(vyx_buf_str(&b), why);
	}
	if (b.p)
		explicit_bzero(b.p, b.cap);
	vyx_buf_free(&b);
	free(path);
	return k;
}

static struct vyx_jwt_keys *
from_env(struct vyx_str name, const char **why)
{
	char *z = vyx_str_dup(name);
	const char *secret = z ? getenv(z) : NULL;

	free(z);
	*why = "its variable is not set";
	return secret ? from_secret(VYX_STRZ(secret), why) : NULL;
}

static int
asks_for_tokens(const struct router *r)
{
	const struct vyx_plan_table *t = r->plan.table;

	for (size_t i = 0; t && i < t->n; i++)
		if (t->target[i].policy->n_roles)
			return 1;
	return 0;
}

/* What the configuration allows of what the key can do. */
static unsigned
algorithms(struct router *r)
{
	struct vyx_str all = TEXT(r, jwt_algorithm);
	unsigned can = vyx_jwt_keys_algs(r->gate.keys), mask = 0;

	if (!all.n)
		return can;
	while (all.n)
		mask |= VYX_JWT_BIT(vyx_jwt_alg_scan(vyx_str_cut(&all, ' ')));
	if (!(mask & can))
		vyx_log(VYX_ERROR,
		    "the key is not of jwt.algorithm: every token is refused",
		    NULL);
	return mask & can;
}

void
gate_keys(struct router *r)
{
	struct gate *g = &r->gate;
	struct vyx_str pem = TEXT(r, jwt_public_key_file),
	               jwks = TEXT(r, jwt_jwks_file),
	               name = TEXT(r, jwt_secret_file);
	const char *why;
	char from[256];

	vyx_jwt_keys_free(g->keys);
	if (g->cache)
		vyx_jwt_cache_drop(g->cache);
	if (pem.n || jwks.n)
		name = pem.n ? pem : jwks;
	if (name.n || getenv(KEY))
		g->keys = from_file(pem.n ? 'p'
		        : jwks.n          ? 'w'
		                          : 's',
		    name, &why);
	else {
		name = TEXT(r, jwt_secret_env);
		g->keys = from_env(name, &why);
	}
	if (g->keys) {
		g->rules.algs = algorithms(r);
		return;
	}
	snprintf(from, sizeof from, "%.*s", (int)name.n, name.p);
	if (!name.n)
		snprintf(from, sizeof from, "%s", getenv(KEY));
	if (asks_for_tokens(r))
		vyx_log(VYX_ERROR, "no key for tokens: every token is refused",
		    "from", from, "why", why, NULL);
}

static void
rules(struct router *r)
{
	struct gate *g = &r->gate;
	struct vyx_str all = TEXT(r, jwt_audience);

	g->rules.require_exp = r->plan.set.jwt_require_exp != 0;
	g->rules.leeway_s = (int64_t)(r->plan.set.jwt_leeway / VYX_SEC);
	g->rules.issuer = TEXT(r, jwt_issuer);
	g->rules.audience = g->audience;
	g->rules.n_audience = 0;
	while (all.n && g->rules.n_audience < VYX_COUNT(g->audience))
		g->audience[g->rules.n_audience++] = vyx_str_cut(&all, ' ');
}

/* Tokens that were good; without it each is computed. */
static void
cache(struct gate *g)
{
	uint8_t seed[32];

	if (!g->cache && getrandom(seed, sizeof seed, 0) == sizeof seed)
		g->cache = vyx_jwt_cache_new(seed);
}

/* ---- the rest --------------------------------------------------------- */

static void
trusted(struct router *r)
{
	struct vyx_str all = TEXT(r, trusted_proxies);
	const char *why;

	vyx_cidrs_free(&r->gate.trusted);
	while (all.n)
		if (!vyx_cidrs_add(&r->gate.trusted, vyx_str_cut(&all, ' '),
		        &why))
			vyx_log(VYX_ERROR, "gateway.trusted_proxies", "why",
			    why, NULL);
}

static void
cors(struct router *r)
{
	r->gate.cors = (struct vyx_cors){ .origins = TEXT(r, cors_origins),
		.methods = TEXT(r, cors_methods),
		.headers = TEXT(r, cors_headers),
		.expose = TEXT(r, cors_expose),
		.credentials = r->plan.set.cors_credentials != 0,
		.max_age_s = r->plan.set.cors_max_age / VYX_SEC };
}

static int
rated(const struct router *r)
{
	const struct vyx_plan_settings *s = &r->plan.set;
	const struct vyx_plan_table *t = r->plan.table;

	if (s->per_ip != VYX_POLICY_OFF || s->per_token != VYX_POLICY_OFF)
		return 1;
	for (size_t i = 0; t && i < t->n; i++)
		if (t->target[i].policy->per_ip < VYX_POLICY_OFF ||
		    t->target[i].policy->per_token < VYX_POLICY_OFF)
			return 1;
	return 0;
}

/* Counts that all routers share; without them each has its own. */
static void
rates(struct router *r)
{
	struct gate *g = &r->gate;
	size_t size = vyx_limit_size(LIMIT_ENTRIES);
	char dir[VYX_PATH_MAX + 1];
	uint8_t random[16];
	void *own;

	if (g->limited || !rated(r))
		return;
	vyx_prog_socket(dir, &r->opt, "route");
	if (vyx_shm_open(&g->shm, dir, "limit", size, vyx_limit_valid,
	        vyx_limit_init)) {
		g->limited = vyx_limit_attach(&g->limit, g->shm.p, size);
		return;
	}
	vyx_log_sys(VYX_ERROR,
	    "rates are counted by this router alone: no shared memory", "path",
	    dir, NULL);
	if (getrandom(random, sizeof random, 0) != sizeof random ||
	    !(own = aligned_alloc(64, size)))
		vyx_die_sys(VYX_SYSTEM, "cannot count rates");
	vyx_limit_init(own, size, random);
	g->limited = vyx_limit_attach(&g->limit, own, size);
}

static void
log_form(struct router *r)
{
	struct vyx_str form = TEXT(r, access_log);

	r->gate.log = vyx_str_eq(form, VYX_STR("off")) ? LOG_OFF
	    : vyx_str_eq(form, VYX_STR("text"))        ? LOG_TEXT
	                                               : LOG_JSON;
}

void
gate_commit(struct router *r)
{
	const struct vyx_plan_settings *s = &r->plan.set;
	struct gate *g = &r->gate;

	rates(r);
	if (g->changes == r->plan.changes)
		return;
	g->changes = r->plan.changes;
	log_form(r);
	trusted(r);
	cors(r);
	g->breaker = vyx_breaker_conf((int64_t)s->failures,
	    (int64_t)s->cooldown, (int64_t)s->half_open_max);
	cache(g);
	rules(r);
	gate_keys(r);
}

/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/jwt_cache.h"

struct entry {
	uint64_t id[2];
	int64_t end;   /* first second at which it counts no more */
	uint64_t used; /* turn of the last use; 0: free */
	int64_t exp;
	uint16_t sub;   /* bytes of it; NO_SUB: none */
	uint16_t roles; /* how many, behind it: two of length, then bytes */
	uint16_t unused[2];
	char text[VYX_JWT_CACHE_TEXT];
};
#define NO_SUB UINT16_MAX

struct vyx_jwt_cache {
	uint8_t seed[32];
	uint64_t turn;
	struct entry set[VYX_JWT_CACHE_SETS][VYX_JWT_CACHE_WAYS];
};

struct vyx_jwt_cache *
vyx_jwt_cache_new(const uint8_t seed[32])
{
	struct vyx_jwt_cache *c = calloc(1, sizeof(*c));

	if (c)
		memcpy(c->seed, seed, sizeof(c->seed));
	return c;
}

void
vyx_jwt_cache_free(struct vyx_jwt_cache *c)
{
	free(c);
}

void
vyx_jwt_cache_drop(struct vyx_jwt_cache *c)
{
	for (size_t i = 0; i < VYX_JWT_CACHE_SETS; i++)
		for (size_t w = 0; w < VYX_JWT_CACHE_WAYS; w++)
			c->set[i][w].used = 0;
}

static struct entry *
set_of(struct vyx_jwt_cache *c, struct vyx_str token, uint64_t id[2])
{
	id[0] = vyx_hash(c->seed, token.p, token.n);
	id[1] = vyx_hash(c->seed + 16, token.p, token.n);
	return c->set[id[0] % VYX_JWT_CACHE_SETS];
}

static int
is(const struct entry *e, const uint64_t id[2])
{
	return e->used && e->id[0] == id[0] && e->id[1] == id[1];
}

static void
fill(const struct entry *e, struct vyx_jwt_claims *out)
{
	const char *p = e->text;

	out->all = NULL;
	out->exp = e->exp;
	out->sub = (struct vyx_str){ NULL, 0 };
	if (e->sub != NO_SUB) {
		out->sub = (struct vyx_str){ p, e->sub };
		p += e->sub;
	}
	for (out->n_roles = 0; out->n_roles < e->roles; out->n_roles++) {
		uint16_t n;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		out->roles[out->n_roles] = (struct vyx_str){ p, n };
		p += n;
	}
}

int
vyx_jwt_cache_get(struct vyx_jwt_cache *c, struct vyx_str token, int64_t now_s,
    struct vyx_jwt_claims *out)
{
	uint64_t id[2];
	struct entry *e = set_of(c, token, id);

	for (size_t w = 0; w < VYX_JWT_CACHE_WAYS; w++, e++) {
		if (!is(e, id))
			continue;
		if (e->end <= now_s) {
			e->used = 0;
			return 0;
		}
		e->used = ++c->turn;
		fill(e, out);
		return 1;
	}
	return 0;
}

static int
fits(const struct vyx_jwt_claims *c)
{
	size_t room = VYX_JWT_CACHE_TEXT;

	if (c->sub.n > room)
		return 0;
	room -= c->sub.n;
	for (size_t i = 0; i < c->n_roles; i++) {
		if (c->roles[i].n + sizeof(uint16_t) > room)
			return 0;
		room -= c->roles[i].n + sizeof(uint16_t);
	}
	return 1;
}

static void
store(struct entry *e, const struct vyx_jwt_claims *c)
{
	char *p = e->text;

	e->exp = c->exp;
	e->sub = c->sub.p ? (uint16_t)c->sub.n : NO_SUB;
	e->roles = (uint16_t)c->n_roles;
	if (c->sub.n)
		memcpy(p, c->sub.p, c->sub.n);
	p += c->sub.n;
	for (size_t i = 0; i < c->n_roles; i++) {
		uint16_t n = (uint16_t)c->roles[i].n;

		memcpy(p, &n, sizeof(n));
		p += sizeof(n);
		memcpy(p, c->roles[i].p, n);
		p += n;
	}
}

void
vyx_jwt_cache_put(struct vyx_jwt_cache *c, struct vyx_str token,
    const struct vyx_jwt_claims *claims, int64_t leeway_s)
{
	uint64_t id[2];
	struct entry *set = set_of(c, token, id), *e = set;

	if (!fits(claims))
		return;
	for (size_t w = 0; w < VYX_JWT_CACHE_WAYS; w++) {
		if (is(&set[w], id)) {
			e = &set[w];
			break;
		}
		if (set[w].used < e->used)
			e = &set[w];
	}
	store(e, claims);
	memcpy(e->id, id, sizeof(id));
	e->used = ++c->turn;
	e->end = claims->exp > INT64_MAX - leeway_s ? INT64_MAX
	                                            : claims->exp + leeway_s;
}

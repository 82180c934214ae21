/* SPDX-License-Identifier: ISC */
/* schema_check - a document against a schema. Each subschema is one frame of
 * the stack, as schema_loop has seen to their end. */
#include <stdlib.h>

#include "schema_int.h"

#define FRAMES 1024 /* subschemas on their way at a time */

int
vyx_schema_enough(const struct vyx_schema_run *r)
{
	return r->quiet || !r->fn || r->stop;
}

int
vyx_schema_spend(struct vyx_schema_run *r, uint64_t n)
{
	if (r->steps >= n) {
		r->steps -= n;
		return 1;
	}
	r->steps = 0;
	r->stop = VYX_SCHEMA_SPENT;
	return 0;
}

size_t
vyx_schema_size(const json_t *j)
{
	return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

int
vyx_schema_matches(struct vyx_schema_run *r, struct vyx_regex *re,
    struct vyx_str s)
{
	int got = vyx_regex_match(re, s, &r->steps);

	if (got < 0)
		r->stop = VYX_SCHEMA_SPENT;
	return got == 1;
}

static int
keywords(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, unsigned char *seen)
{
	int ok = 1;

	for (size_t i = 0; i < n->n; i++) {
		const struct vyx_schema_kw *k = &n->kw[i];
		vyx_schema_test *test = vyx_schema_words[k->id].test;

		if (!test || test(r, n, k, j, seen))
			continue;
		ok = 0;
		/* with a wrong type nothing else is worth a word */
		if (vyx_schema_enough(r) || k->id == VYX_SCHEMA_TYPE)
			break;
	}
	return ok;
}

/* Room for what is seen of j: `small` when it fits. */
static unsigned char *
unseen(struct vyx_schema_run *r, const json_t *j, unsigned char *small,
    size_t cap)
{
	size_t many = vyx_schema_size(j);
	unsigned char *own = small;

	if (!vyx_schema_spend(r, many / 16))
		return NULL;
	if (many > cap)
		own = malloc(many);
	if (!own)
		r->stop = VYX_SCHEMA_MEMORY;
	else
		memset(own, 0, many <= cap ? cap : many);
	return own;
}

/* With unevaluated*: what is seen below counts here, and for who asks when
 * the subschema passes. */
typedef int with(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, unsigned char *seen);

static int
apart(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, unsigned char *seen, with *f)
{
	unsigned char small[64];
	unsigned char *own = unseen(r, j, small, sizeof(small));
	int ok = own && f(r, n, j, own);
	size_t many = ok && seen ? vyx_schema_size(j) : 0;

	for (size_t i = 0; i < many; i++)
		seen[i] |= own[i];
	if (own != small)
		free(own);
	return ok;
}

int
vyx_schema_try(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, unsigned char *seen)
{
	const struct vyx_schema_scope *outer = r->scope;
	struct vyx_schema_scope here = { outer, n->res };
	int ok;

	if (!vyx_schema_spend(r, 1))
		return 0;
	if (n->always >= 0)
		return n->always || vyx_schema_say(r, NULL, "is not allowed");
	if (r->frames == FRAMES) {
		r->stop = VYX_SCHEMA_SPENT;
		return 0;
	}
	r->frames++;
	if (!outer || outer->res != n->res)
		r->scope = &here;
	ok = n->left ? apart(r, n, j, seen, keywords) : keywords(r, n, j, seen);
	r->scope = outer;
	r->frames--;
	return ok;
}

int
vyx_schema_try_quietly(struct vyx_schema_run *r,
    const struct vyx_schema_node *n, const json_t *j, unsigned char *seen)
{
	int ok;

	r->quiet++;
	ok = seen ? apart(r, n, j, seen, vyx_schema_try)
	          : vyx_schema_try(r, n, j, NULL);
	r->quiet--;
	return ok;
}

static int
below(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, const struct vyx_schema_at *at)
{
	int ok;

	r->at = at;
	ok = vyx_schema_try(r, n, j, NULL);
	r->at = at->up;
	return ok;
}

int
vyx_schema_try_member(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, const char *key)
{
	struct vyx_schema_at at = { r->at, key, 0 };

	return below(r, n, j, &at);
}

int
vyx_schema_try_item(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, size_t index)
{
	struct vyx_schema_at at = { r->at, NULL, index };

	return below(r, n, j, &at);
}

int
vyx_schema_check(const struct vyx_schema *s, const json_t *doc,
    vyx_schema_report *fn, void *arg)
{
	struct vyx_schema_run r = {
		.fn = fn, .arg = arg, .steps = s->opt.steps
	};
	int ok = vyx_schema_try(&r, s->root, doc, NULL);
	struct vyx_str why = VYX_STR("cannot be checked: no memory");

	if (r.stop == VYX_SCHEMA_SPENT)
		why = VYX_STR("cannot be checked: it takes too many steps");
	if (r.stop > VYX_SCHEMA_FULL && fn)
		fn(arg, VYX_STR(""), why);
	return ok && !r.stop;
}

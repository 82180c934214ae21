/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "state/rows.h"

/* Where the row of `key` hangs, or would hang were it the last one put. */
static struct vyx_row **
find(struct vyx_row **at, struct vyx_str key)
{
	int c;

	while (*at && (c = vyx_str_cmp(key, (*at)->key)) != 0)
		at = c < 0 ? &(*at)->left : &(*at)->right;
	return at;
}

struct vyx_row *
vyx_rows_get(const struct vyx_rows *t, struct vyx_str key)
{
	struct vyx_row *root = t->root;

	return *find(&root, key);
}

struct vyx_row *
vyx_rows_after(const struct vyx_rows *t, struct vyx_str key)
{
	struct vyx_row *best = NULL;

	for (struct vyx_row *r = t->root; r;)
		if (vyx_str_cmp(r->key, key) > 0) {
			best = r;
			r = r->left;
		} else
			r = r->right;
	return best;
}

/* Rows before `key` to *l, those behind it to *r; no row has it. */
static void
split(struct vyx_row *t, struct vyx_str key, struct vyx_row **l,
    struct vyx_row **r)
{
	while (t)
		if (vyx_str_cmp(t->key, key) < 0) {
			*l = t;
			l = &t->right;
			t = *l;
		} else {
			*r = t;
			r = &t->left;
			t = *r;
		}
	*l = *r = NULL;
}

/* Hang the union of l and r, each row of l before each of r, at `at`. */
static void
merge(struct vyx_row **at, struct vyx_row *l, struct vyx_row *r)
{
	while (l && r)
		if (l->prio >= r->prio) {
			*at = l;
			at = &l->right;
			l = *at;
		} else {
			*at = r;
			at = &r->left;
			r = *at;
		}
	*at = l ? l : r;
}

static struct vyx_str
keep(char **p, struct vyx_str s)
{
	struct vyx_str kept = { *p, s.n };

	if (s.n)
		memcpy(*p, s.p, s.n);
	*p += s.n;
	return kept;
}

static size_t
weight(const struct vyx_row *r)
{
	return r->key.n + r->who.n + r->cols.n;
}

/* xorshift32: the shape of the tree need not be secret from those who may
 * write, only even. */
static uint32_t
draw(struct vyx_rows *t)
{
	uint32_t x = t->seed ? t->seed : 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return t->seed = x;
}

struct vyx_row *
vyx_rows_put(struct vyx_rows *t, struct vyx_str key, struct vyx_str who,
    struct vyx_str cols, uint64_t rev)
{
	struct vyx_row **at = find(&t->root, key), *old = *at, *r;
	char *p;

	if (!(r = calloc(1, sizeof *r + key.n + who.n + cols.n)))
		return NULL;
	p = r->data;
	r->key = keep(&p, key);
	r->who = keep(&p, who);
	r->cols = keep(&p, cols);
	r->rev = t->rev = rev;
	if (old) {
		r->prio = old->prio;
		r->left = old->left;
		r->right = old->right;
		t->bytes -= weight(old);
		free(old);
	} else {
		r->prio = draw(t);
		for (at = &t->root; *at && (*at)->prio >= r->prio;)
			at = vyx_str_cmp(key, (*at)->key) < 0 ? &(*at)->left
			                                      : &(*at)->right;
		split(*at, key, &r->left, &r->right);
		t->n++;
	}
	t->bytes += weight(r);
	return *at = r;
}

int
vyx_rows_del(struct vyx_rows *t, struct vyx_str key, uint64_t rev)
{
	struct vyx_row **at = find(&t->root, key), *r = *at;

	if (!r)
		return errno = ENOENT, 0;
	merge(at, r->left, r->right);
	t->n--;
	t->bytes -= weight(r);
	t->rev = rev;
	free(r);
	return 1;
}

void
vyx_rows_free(struct vyx_rows *t)
{
	while (t->root)
		vyx_rows_del(t, t->root->key, t->rev);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "state/ring.h"

/* What lies before each change; the changes are laid out at multiples of its
 * size, so that one always fits before the end of the block. */
struct head {
	uint32_t size; /* of all of it, rounded up */
	uint32_t body_n;
	uint16_t key_n;
	uint8_t verb; /* 0: nothing up to the end of the block */
	uint8_t table;
	uint32_t unused;
	uint64_t rev;
	uint64_t unused_too;
};
#define UNIT sizeof(struct head)
_Static_assert((UNIT & (UNIT - 1)) == 0, "a change must not straddle the end");

static struct head
read_head(const struct vyx_ring *r, uint64_t pos)
{
	struct head h;

	memcpy(&h, r->p + (pos & (r->size - 1)), sizeof h);
	return h;
}

int
vyx_ring_init(struct vyx_ring *r, size_t size, uint64_t rev)
{
	*r = (struct vyx_ring){ .size = size, .rev = rev, .floor = rev };
	return (r->p = malloc(size)) != NULL;
}

void
vyx_ring_free(struct vyx_ring *r)
{
	free(r->p);
	*r = (struct vyx_ring){ 0 };
}

/* Drop the oldest until `need` bytes are free. */
static void
make_room(struct vyx_ring *r, size_t need)
{
	while (r->size - (size_t)(r->head - r->tail) < need) {
		struct head h = read_head(r, r->tail);

		if (h.verb)
			r->floor = h.rev;
		r->tail += h.size;
	}
}

static void
append(struct vyx_ring *r, const struct head *h, struct vyx_str key,
    struct vyx_str body)
{
	char *p;

	make_room(r, h->size);
	p = r->p + (r->head & (r->size - 1));
	memcpy(p, h, sizeof *h);
	if (key.n)
		memcpy(p + UNIT, key.p, key.n);
	if (body.n)
		memcpy(p + UNIT + key.n, body.p, body.n);
	r->head += h->size;
}

void
vyx_ring_add(struct vyx_ring *r, const struct vyx_change *c)
{
	size_t n = (UNIT + c->key.n + c->body.n + UNIT - 1) & ~(UNIT - 1);
	size_t left = r->size - (size_t)(r->head & (r->size - 1));
	struct head h = {
		.size = (uint32_t)n,
		.body_n = (uint32_t)c->body.n,
		.key_n = (uint16_t)c->key.n,
		.verb = (uint8_t)c->verb,
		.table = (uint8_t)c->table,
		.rev = c->rev,
	};

	r->open += n;
	if (r->open > r->size / 2)
		r->huge = 1;
	if (r->huge)
		return;
	if (left < n) {
		struct head pad = { .size = (uint32_t)left };

		append(r, &pad, (struct vyx_str){ 0 }, (struct vyx_str){ 0 });
	}
	append(r, &h, c->key, c->body);
}

void
vyx_ring_commit(struct vyx_ring *r, uint64_t rev)
{
	struct vyx_change c = { .verb = VYX_V_COMMIT, .rev = rev };

	vyx_ring_add(r, &c);
	if (r->huge) {
		/* behind the place of whoever has read all there was */
		r->tail = r->head += UNIT;
		r->floor = rev;
	}
	r->rev = rev;
	r->open = 0;
	r->huge = 0;
}

int
vyx_ring_next(const struct vyx_ring *r, uint64_t *pos, struct vyx_change *c)
{
	struct head h;
	const char *p;

	for (;;) {
		if (*pos < r->tail)
			return errno = ESTALE, 0;
		if (*pos == r->head)
			return errno = EAGAIN, 0;
		h = read_head(r, *pos);
		p = r->p + (*pos & (r->size - 1)) + UNIT;
		*pos += h.size;
		if (h.verb)
			break;
	}
	c->verb = h.verb;
	c->table = h.table;
	c->rev = h.rev;
	c->key = (struct vyx_str){ p, h.key_n };
	c->body = (struct vyx_str){ p + h.key_n, h.body_n };
	return 1;
}

int
vyx_ring_seek(const struct vyx_ring *r, uint64_t from, uint64_t *pos)
{
	struct vyx_change c;
	uint64_t next = r->tail;

	if (from < r->floor || from > r->rev)
		return errno = ESTALE, 0;
	/* a commit has the revision of the last change before it */
	do
		*pos = next;
	while (vyx_ring_next(r, &next, &c) && c.rev <= from);
	return 1;
}

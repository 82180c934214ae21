/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "state/watch.h"

int
vyx_watch_row(struct vyx_buf *out, enum vyx_verb verb, uint64_t id,
    enum vyx_table table, const struct vyx_row *row)
{
	struct vyx_rec_out o = vyx_rec_begin(out, verb);

	vyx_rec_putu(&o, VYX_F_ID, id);
	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(table));
	vyx_rec_puts(&o, VYX_F_KEY, row->key);
	vyx_rec_putu(&o, VYX_F_REV, row->rev);
	if (!o.bad && !vyx_buf_putstr(out, row->cols))
		o.bad = errno;
	return vyx_rec_end(&o);
}

/* A record of id and rev alone. */
static int
mark(struct vyx_buf *out, enum vyx_verb verb, uint32_t id, uint64_t rev)
{
	struct vyx_rec_out o = vyx_rec_begin(out, verb);

	vyx_rec_putu(&o, VYX_F_ID, id);
	vyx_rec_putu(&o, VYX_F_REV, rev);
	return vyx_rec_end(&o);
}

int
vyx_watch_start(struct vyx_watch *w, const struct vyx_ring *ring,
    const uint64_t *from)
{
	w->owed = 0;
	w->key.n = 0;
	w->table = 1;
	if (from) {
		if (!vyx_ring_seek(ring, *from, &w->pos))
			return 0;
		w->mode = VYX_WATCH_LIVE;
		return 1;
	}
	w->pos = ring->head;
	w->mode = VYX_WATCH_NEW;
	return 1;
}

void
vyx_watch_stop(struct vyx_watch *w)
{
	w->mode = VYX_WATCH_OFF;
	vyx_buf_free(&w->key);
}

/* Whether the cursor has passed the row of this change, or live. */
static int
behind(const struct vyx_watch *w, const struct vyx_change *c)
{
	if (!(w->tables & 1U << c->table))
		return 0;
	if (w->mode == VYX_WATCH_LIVE || c->table < w->table)
		return 1;
	return c->table == w->table && w->key.n &&
	    vyx_str_cmp(c->key, vyx_buf_str(&w->key)) <= 0;
}

static int
tell(struct vyx_buf *out, uint32_t id, const struct vyx_change *c)
{
	size_t start = out->n;

	if (vyx_buf_puts(out, vyx_rec_verb_name(c->verb)) &&
	    vyx_buf_puts(out, "\nid=") && vyx_buf_putu(out, id) &&
	    vyx_buf_putc(out, '\n') && vyx_buf_putstr(out, c->body))
		return 1;
	out->n = start;
	return 0;
}

/* The commits of transactions told in one go are told as one. */
static int
commit(struct vyx_watch *w, const struct vyx_ring *ring, struct vyx_buf *out,
    size_t limit, uint64_t rev)
{
	if (w->mode != VYX_WATCH_LIVE || !w->owed)
		return 1;
	if (w->pos != ring->head && out->n < limit)
		return 1;
	w->owed = 0;
	return mark(out, VYX_V_COMMIT, w->id, rev);
}

/* Tell changes from the ring. EAGAIN: the limit is reached. */
static int
follow(struct vyx_watch *w, const struct vyx_ring *ring, struct vyx_buf *out,
    size_t limit)
{
	struct vyx_change c;

	while (w->pos != ring->head) {
		if (out->n >= limit)
			return errno = EAGAIN, 0;
		if (!vyx_ring_next(ring, &w->pos, &c))
			return 0;
		if (c.verb == VYX_V_COMMIT) {
			if (!commit(w, ring, out, limit, c.rev))
				return 0;
		} else if (behind(w, &c)) {
			if (!tell(out, w->id, &c))
				return 0;
			w->owed = 1;
		}
	}
	return 1;
}

/* The row at the cursor, and the cursor behind it. EAGAIN: the limit is
 * reached. */
static int
walk(struct vyx_watch *w, const struct vyx_rows *tables, struct vyx_buf *out,
    size_t limit)
{
	const struct vyx_row *r;

	for (; w->table < VYX_T_COUNT; w->table++, w->key.n = 0) {
		if (!(w->tables & 1U << w->table))
			continue;
		while ((r = vyx_rows_after(&tables[w->table],
		            vyx_buf_str(&w->key))) != NULL) {
			if (out->n >= limit)
				return errno = EAGAIN, 0;
			if (!vyx_watch_row(out, VYX_V_ROW, w->id,
			        (enum vyx_table)w->table, r))
				return 0;
			w->key.n = 0;
			if (!vyx_buf_putstr(&w->key, r->key))
				return 0;
		}
	}
	return 1;
}

int
vyx_watch_fill(struct vyx_watch *w, const struct vyx_rows *tables,
    const struct vyx_ring *ring, struct vyx_buf *out, size_t limit)
{
	if (w->mode == VYX_WATCH_OFF)
		return 1;
	if (w->mode == VYX_WATCH_NEW) {
		if (!mark(out, VYX_V_SNAPSHOT, w->id, ring->rev))
			return 0;
		w->mode = VYX_WATCH_SNAPSHOT;
	}
	/* the ring first: a row by the cursor is as new as the ring's head */
	if (!follow(w, ring, out, limit)) {
		if (errno == ESTALE)
			vyx_watch_stop(w);
		return 0;
	}
	if (w->mode == VYX_WATCH_LIVE)
		return 1;
	if (!walk(w, tables, out, limit))
		return 0;
	if (!mark(out, VYX_V_SYNCED, w->id, ring->rev))
		return 0;
	w->mode = VYX_WATCH_LIVE;
	w->owed = 0;
	vyx_buf_free(&w->key);
	return 1;
}

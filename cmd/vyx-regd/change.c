/* SPDX-License-Identifier: ISC */
/* change - a change to memory, ring and disk. */
#include <stdlib.h>

#include "base/log.h"
#include "base/prog.h"
#include "regd.h"

/* Memory that is gone in the middle of a change leaves nothing to go on
 * from; what was answered before is on disk. */
static void
must(int ok)
{
	if (ok)
		return;
	vyx_log_sys(VYX_ERROR, "cannot keep a change", NULL);
	exit(VYX_SYSTEM);
}

/* The change as watchers are told it, but for verb and id. */
static void
announce(struct regd *d, enum vyx_verb verb, const struct regd_ask *a)
{
	struct vyx_change c = { verb, a->table, d->rev, a->key, { 0 } };
	struct vyx_rec_out o = { .b = &d->scratch };

	d->scratch.n = 0;
	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(a->table));
	vyx_rec_puts(&o, VYX_F_KEY, a->key);
	vyx_rec_putu(&o, VYX_F_REV, d->rev);
	if (verb == VYX_V_PUT && !o.bad)
		must(vyx_buf_putstr(&d->scratch, a->cols));
	must(vyx_rec_end(&o));
	c.body = vyx_buf_str(&d->scratch);
	vyx_ring_add(&d->ring, &c);
}

static uint64_t
put(struct regd *d, const struct regd_ask *a, uint64_t conn)
{
	struct vyx_rows *t = &d->table[a->table];
	struct vyx_row *row = vyx_rows_get(t, a->key);

	if (row && vyx_str_eq(row->cols, a->cols)) {
		row->unseen = 0;
		row->conn = conn;
		return row->rev;
	}
	d->rev++;
	must((row = vyx_rows_put(t, a->key, a->who, a->cols, d->rev)) != NULL);
	row->conn = conn;
	announce(d, VYX_V_PUT, a);
	regd_disk_put(d, a->table, row);
	return d->rev;
}

uint64_t
regd_change(struct regd *d, const struct regd_ask *a, uint64_t conn)
{
	if (!a->del)
		return put(d, a, conn);
	if (!vyx_rows_get(&d->table[a->table], a->key))
		return d->rev;
	d->rev++;
	announce(d, VYX_V_DEL, a);
	regd_disk_del(d, a->table, a->key);
	/* last: the key may be the row's own */
	vyx_rows_del(&d->table[a->table], a->key, d->rev);
	return d->rev;
}

uint64_t
regd_changed(struct regd *d)
{
	if (d->rev != d->ring.rev) {
		vyx_ring_commit(&d->ring, d->rev);
		vyx_loop_defer(&d->loop, &d->turn);
	}
	return d->rev;
}

void
regd_mark(struct regd *d, enum vyx_table t, struct vyx_str who)
{
	struct vyx_str at = { 0 };

	for (struct vyx_row *r; (r = vyx_rows_after(&d->table[t], at));
	     at = r->key)
		if (vyx_str_eq(r->who, who))
			r->unseen = 1;
}

void
regd_sweep(struct regd *d, enum vyx_table t, struct vyx_str who)
{
	struct vyx_row *r = vyx_rows_after(&d->table[t], VYX_STR("")), *next;

	for (; r; r = next) {
		struct regd_ask a = { .table = t, .del = 1, .key = r->key };

		next = vyx_rows_after(&d->table[t], r->key);
		if (r->unseen && vyx_str_eq(r->who, who))
			regd_change(d, &a, 0);
	}
}

/* SPDX-License-Identifier: ISC */
/* source - who vouches for seen rows, and what its absence means: its rows
 * stay as they are, stale, until it is back and has told them anew. */
#include <stdio.h>
#include <time.h>

#include "regd.h"

static uint64_t
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The row of a source is ours to write; its connection is on it. */
static void
set(struct regd *d, struct vyx_str name, enum vyx_state state, uint64_t uid,
    uint64_t conn)
{
	struct regd_ask a = { .table = VYX_T_SOURCE, .key = name };
	struct vyx_rec_out o = { .b = &d->cols };

	d->cols.n = 0;
	vyx_rec_putu(&o, VYX_F_UID, uid);
	vyx_rec_putz(&o, VYX_F_STATE, vyx_rec_state_name(state));
	vyx_rec_putu(&o, VYX_F_SINCE, wall_ms());
	a.cols = vyx_buf_str(&d->cols);
	regd_change(d, &a, conn);
}

int
regd_speaks(const struct regd_peer *p)
{
	const struct vyx_row *row =
	    vyx_rows_get(&p->d->table[VYX_T_SOURCE], VYX_STRZ(p->source));

	return row && row->conn == p->serial;
}

static int
has_source(unsigned t)
{
	return regd_life((enum vyx_table)t) == REGD_SEEN &&
	    vyx_rec_column((enum vyx_table)t, VYX_F_SOURCE);
}

/* A second connection takes over: the first one may be half dead. */
void
regd_sync(struct regd_peer *p, const struct vyx_rec *r)
{
	struct vyx_str name = vyx_rec_str(r, VYX_F_SOURCE);
	uint64_t id = vyx_rec_u(r, VYX_F_ID);

	if (p->role == VYX_P_NONE) {
		regd_no(p, id, "denied", "say hello first, with your role");
		return;
	}
	if (*p->source && !vyx_str_eq(name, VYX_STRZ(p->source))) {
		regd_no(p, id, "bad", "a connection speaks for one source");
		return;
	}
	memcpy(p->source, name.p, name.n); /* 64 at most, by the map */
	p->source[name.n] = 0;
	set(p->d, name, VYX_S_SYNCING, p->chan.uid, p->serial);
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (has_source(t))
			regd_mark(p->d, (enum vyx_table)t, name);
	regd_ok(p, id, regd_changed(p->d));
}

void
regd_synced(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t id = vyx_rec_u(r, VYX_F_ID);
	struct vyx_str name = VYX_STRZ(p->source);

	if (!regd_speaks(p)) {
		regd_no(p, id, "denied", "synced without sync");
		return;
	}
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (has_source(t))
			regd_sweep(p->d, (enum vyx_table)t, name);
	set(p->d, name, VYX_S_SYNCED, p->chan.uid, p->serial);
	regd_ok(p, id, regd_changed(p->d));
}

void
regd_source_gone(struct regd_peer *p)
{
	struct regd *d = p->d;
	struct vyx_row *r, *next;

	if (regd_speaks(p))
		set(d, VYX_STRZ(p->source), VYX_S_STALE, p->chan.uid, 0);
	for (unsigned t = 1; t < VYX_T_COUNT; t++) {
		if (regd_life((enum vyx_table)t) != REGD_PROC)
			continue;
		for (r = vyx_rows_after(&d->table[t], VYX_STR("")); r;
		     r = next) {
			struct regd_ask a = { .table = (enum vyx_table)t,
				.del = 1,
				.key = r->key };

			next = vyx_rows_after(&d->table[t], r->key);
			if (r->conn == p->serial)
				regd_change(d, &a, 0);
		}
	}
	regd_changed(d);
}

void
regd_all_stale(struct regd *d)
{
	struct vyx_row *r = NULL, *next;

	for (r = vyx_rows_after(&d->table[VYX_T_SOURCE], VYX_STR("")); r;
	     r = next) {
		char name[65];

		/* the row is replaced, its key with it */
		snprintf(name, sizeof name, "%.*s", REGD_SHOW(r->key));
		next = vyx_rows_after(&d->table[VYX_T_SOURCE], r->key);
		if (r->conn == 0)
			set(d, VYX_STRZ(name), VYX_S_STALE, 0, 0);
	}
	regd_changed(d);
}

/* SPDX-License-Identifier: ISC */
/* serve - one function a request. */
#include <errno.h>

#include "regd.h"

#define COLUMNS 60 /* id, table, key and rev join them in a record */

/* clang-format off */
#define PROC(id, program, dir, user, uid, trusts, keeps) \
	[VYX_P_##id] = program,
static const char *const programs[VYX_P_COUNT] = { VYX_PROCS(PROC) };
/* clang-format on */

int
regd_ask(struct regd *d, const struct vyx_rec *r, struct regd_ask *a,
    struct regd_why *w)
{
	struct vyx_rec_out o = { .b = &d->cols };
	unsigned columns = 0;

	*a = (struct regd_ask){
		.table = r->table,
		.del = r->verb == VYX_V_DEL,
		.has_if = vyx_rec_has(r, VYX_F_IF_REV),
		.if_rev = vyx_rec_u(r, VYX_F_IF_REV),
		.key = vyx_rec_str(r, VYX_F_KEY),
		.who = vyx_rec_str(r,
		    vyx_rec_column(r->table, VYX_F_OWNER) ? VYX_F_OWNER
		                                          : VYX_F_SOURCE),
	};
	for (unsigned i = 0; i < r->n; i++)
		columns += vyx_rec_column(r->table, r->f[i].id) != 0;
	d->cols.n = 0;
	vyx_rec_putrow(&o, r);
	a->cols = vyx_buf_str(&d->cols);
	if (o.bad == ENOMEM)
		return regd_refuse(w, "full", "no memory");
	if (o.bad || columns > COLUMNS ||
	    a->cols.n + 3 * a->key.n + 4096 > VYX_REC_STREAM)
		return regd_refuse(w, "too-big",
		    "the row would not fit into one record");
	return 1;
}

static void
hello(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t proto = vyx_rec_u(r, VYX_F_PROTO);
	struct vyx_str role = vyx_rec_str(r, VYX_F_ROLE);
	unsigned may = vyx_chan_may(p->chan.edge, p->chan.uid), c;
	struct vyx_rec_out o;

	if (proto < VYX_PROTO_MIN) {
		regd_no(p, 0, "bad",
		    "protocol %llu is too old, %d to %d are spoken here",
		    (unsigned long long)proto, VYX_PROTO_MIN, VYX_PROTO);
		p->ending = 1;
		return;
	}
	for (c = VYX_P_EACH - 1; c > VYX_P_NONE; c--)
		if (vyx_str_eq(role, VYX_STRZ(programs[c])))
			break;
	if (c != VYX_P_NONE && !(may & 1U << c)) {
		regd_no(p, 0, "denied", "uid %u is not that of %s",
		    (unsigned)p->chan.uid, programs[c]);
		p->ending = 1;
		return;
	}
	p->role = (enum vyx_proc)c;
	o = vyx_rec_begin(&p->chan.out, VYX_V_HELLO);
	vyx_rec_putu(&o, VYX_F_PROTO, VYX_PROTO);
	vyx_rec_putz(&o, VYX_F_NAME, "regd");
	vyx_rec_putu(&o, VYX_F_REV, p->d->ring.rev);
	vyx_rec_putu(&o, VYX_F_FLOOR, p->d->ring.floor);
	vyx_rec_putz(&o, VYX_F_BOOT, p->d->boot);
	vyx_rec_putz(&o, VYX_F_HOST, p->d->host);
	regd_said(p, vyx_rec_end(&o));
}

static void
get(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t id = vyx_rec_u(r, VYX_F_ID);
	const struct vyx_row *row =
	    vyx_rows_get(&p->d->table[r->table], vyx_rec_str(r, VYX_F_KEY));

	if (!row)
		regd_no(p, id, "gone", "there is no such row");
	else
		regd_said(p,
		    vyx_watch_row(&p->chan.out, VYX_V_ROW, id, r->table, row));
}

static void
ls(struct regd_peer *p, const struct vyx_rec *r)
{
	struct vyx_buf *out = &p->chan.out;
	struct vyx_str prefix = vyx_rec_str(r, VYX_F_PREFIX);
	struct vyx_str at = vyx_rec_str(r, VYX_F_AFTER);
	uint64_t id = vyx_rec_u(r, VYX_F_ID), limit = 1000;
	const struct vyx_rows *t = &p->d->table[r->table];
	const struct vyx_row *row;
	size_t start = out->n;
	struct vyx_rec_out o;
	int more = 0;

	if (vyx_rec_has(r, VYX_F_LIMIT))
		limit = vyx_rec_u(r, VYX_F_LIMIT);
	if (vyx_str_cmp(at, prefix) < 0) {
		at = prefix;
		if ((row = vyx_rows_get(t, at)) != NULL)
			goto first; /* the prefix itself is a key */
	}
	while ((row = vyx_rows_after(t, at)) != NULL &&
	    vyx_str_starts(row->key, prefix)) {
	first:
		if ((more = limit-- == 0 || out->n - start > REGD_LS))
			break;
		if (!vyx_watch_row(out, VYX_V_ROW, id, r->table, row)) {
			regd_said(p, 0);
			return;
		}
		at = row->key;
	}
	o = vyx_rec_begin(out, VYX_V_END);
	vyx_rec_putu(&o, VYX_F_ID, id);
	vyx_rec_putu(&o, VYX_F_REV, p->d->ring.rev);
	if (more)
		vyx_rec_putu(&o, VYX_F_MORE, 1);
	regd_said(p, vyx_rec_end(&o));
}

static void
change(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t id = vyx_rec_u(r, VYX_F_ID), rev;
	struct regd_ask a;
	struct regd_why w;

	if (p->stage) {
		regd_staged(p, r);
		return;
	}
	if (!regd_ask(p->d, r, &a, &w) || !regd_may(p, &a, &w) ||
	    !regd_fits(p->d, &a, &w)) {
		regd_no(p, id, w.why, "%s", w.text);
		return;
	}
	rev = regd_change(p->d, &a, p->serial);
	regd_changed(p->d);
	regd_ok(p, id, rev);
}

static void
watch(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t id = vyx_rec_u(r, VYX_F_ID), from = vyx_rec_u(r, VYX_F_FROM);
	int has_from = vyx_rec_has(r, VYX_F_FROM);
	uint32_t tables = 0;

	if (p->watch.mode != VYX_WATCH_OFF) {
		regd_no(p, id, "bad", "a connection watches once");
		return;
	}
	for (unsigned i = vyx_rec_next(r, VYX_F_TABLES, 0); i < r->n;
	     i = vyx_rec_next(r, VYX_F_TABLES, i + 1)) {
		enum vyx_table t = vyx_rec_table(r->f[i].v);

		if (t == VYX_T_NONE) {
			regd_no(p, id, "unknown", "no table %.*s",
			    REGD_SHOW(r->f[i].v));
			return;
		}
		tables |= 1U << t;
	}
	if (!tables) {
		regd_no(p, id, "bad", "name the tables, each by tables=");
		return;
	}
	p->watch = (struct vyx_watch){ .id = (uint32_t)id, .tables = tables };
	if (!vyx_watch_start(&p->watch, &p->d->ring, has_from ? &from : NULL))
		regd_no(p, id, "compacted", "ask again without from");
	else if (has_from)
		regd_ok(p, id, p->d->ring.rev);
}

static void (*const serves[VYX_V_COUNT])(struct regd_peer *,
    const struct vyx_rec *) = {
	[VYX_V_HELLO] = hello,
	[VYX_V_GET] = get,
	[VYX_V_LS] = ls,
	[VYX_V_WATCH] = watch,
	[VYX_V_PUT] = change,
	[VYX_V_DEL] = change,
	[VYX_V_BEGIN] = regd_begin,
	[VYX_V_COMMIT] = regd_commit,
	[VYX_V_SYNC] = regd_sync,
	[VYX_V_SYNCED] = regd_synced,
};

void
regd_serve(struct regd_peer *p, const struct vyx_rec *r)
{
	int staged = p->stage && (r->verb == VYX_V_PUT || r->verb == VYX_V_DEL);

	/* before any answer: the turn's commit comes before it is sent */
	vyx_loop_defer(&p->d->loop, &p->d->turn);
	if (p->ending || p->d->stopping)
		return;
	if (!staged && ++p->asked > REGD_ASKED) {
		regd_no(p, vyx_rec_u(r, VYX_F_ID), "busy",
		    "over %d requests unanswered", REGD_ASKED);
		p->ending = 1;
		return;
	}
	serves[r->verb](p, r);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "conf.h"
#include "sys/reg.h"

#define LIMIT (10 * VYX_NS_S) /* for the whole command, but for -T */
#define FLUSH 65536

static void
lost(const char *what)
{
	vyx_die_sys(VYX_SYSTEM, "%s: vyx-regd", what);
}

static void
connect_regd(struct vyx_reg_sync *s, const struct vyx_opt *o)
{
	int64_t limit = LIMIT;
	char path[VYX_PATH_MAX + 1];

	vyx_prog_socket(path, o, "regd/ops");
	if (o->limit &&
	    (!vyx_dur_scan(VYX_STRZ(o->limit), &limit) || limit <= 0))
		vyx_die(VYX_USAGE, "-T %s: write a duration, such as 5s",
		    o->limit);
	if (!vyx_reg_connect(s, vyx_prog_run(o), VYX_E_OPS, "vyx-conf",
	        (uint64_t)limit))
		vyx_die_sys(VYX_SYSTEM, "cannot reach vyx-regd at %s%s%s", path,
		    *s->said ? ": " : "", s->said);
}

static void
refused(const struct vyx_rec *r, const char *what)
{
	struct vyx_str why = vyx_rec_str(r, VYX_F_WHY);
	struct vyx_str text = vyx_rec_str(r, VYX_F_TEXT);

	vyx_die(VYX_SYSTEM,
	    "vyx-regd refuses %s: %.*s%s%.*s; nothing has changed", what,
	    (int)why.n, why.p, text.n ? ": " : "", (int)text.n, text.p);
}

static void
keep(struct rows *rows, const struct vyx_rec *r, enum vyx_table table)
{
	struct column cols[VYX_REC_FIELDS];
	struct row row = { table, vyx_rec_str(r, VYX_F_KEY), cols, 0 };

	for (unsigned i = 0; i < r->n; i++)
		if (vyx_rec_column(table, r->f[i].id) && r->f[i].v.n)
			cols[row.n++] =
			    (struct column){ r->f[i].id, r->f[i].v };
	rows_add(rows, &row);
}

/* One page of a table behind *after; 1: there is more. */
static int
page(struct vyx_reg_sync *s, enum vyx_table table, struct vyx_buf *after,
    struct rows *rows)
{
	struct vyx_rec_out o = vyx_reg_sync_ask(s, VYX_V_LS);

	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(table));
	if (after->n)
		vyx_rec_puts(&o, VYX_F_AFTER, vyx_buf_str(after));
	if (!vyx_rec_end(&o) || !vyx_reg_sync_send(s))
		lost("cannot ask for rows");
	while (vyx_reg_sync_recv(s)) {
		if (s->rec.verb == VYX_V_NO)
			refused(&s->rec, "to list rows");
		if (s->rec.verb == VYX_V_END)
			return vyx_rec_u(&s->rec, VYX_F_MORE) != 0;
		if (s->rec.verb != VYX_V_ROW)
			continue;
		keep(rows, &s->rec, table);
		after->n = 0;
		vyx_buf_putstr(after, vyx_rec_str(&s->rec, VYX_F_KEY));
	}
	lost("cannot list rows");
	return 0;
}

static void
fetch(struct vyx_reg_sync *s, struct rows *rows)
{
	for (const enum vyx_table *t = rows_tables; *t; t++) {
		struct vyx_buf after = { 0 };

		while (page(s, *t, &after, rows))
			continue;
		vyx_buf_free(&after);
	}
	rows_sort(rows);
}

static int
ours(const struct row *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->cols[i].f == VYX_F_OWNER)
			return vyx_str_eq(r->cols[i].v, VYX_STR(OWNER));
	return 0;
}

static int
same(const struct row *a, const struct row *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (a->cols[i].f != b->cols[i].f ||
		    !vyx_str_eq(a->cols[i].v, b->cols[i].v))
			return 0;
	return 1;
}

static int
order(const struct row *a, const struct row *b)
{
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return vyx_str_cmp(a->key, b->key);
}

/* Print what would change; how many rows that is. Rows of other owners stay.
 */
static size_t
compare(const struct rows *is, const struct rows *want, const struct vyx_opt *o)
{
	size_t i = 0, j = 0, changes = 0;

	while (i < is->n || j < want->n) {
		const struct row *a = i < is->n ? &is->v[i] : NULL;
		const struct row *b = j < want->n ? &want->v[j] : NULL;
		int d = !a ? 1 : !b ? -1 : order(a, b);

		i += d <= 0;
		j += d >= 0;
		if (d == 0 ? same(a, b) : d < 0 && !ours(a))
			continue;
		show_change(d <= 0 ? a : NULL, d >= 0 ? b : NULL, o);
		changes++;
	}
	return changes;
}

int
diff(struct loaded *l, const struct vyx_opt *o)
{
	struct rows is = { .mem = &l->conf.notes }, want = { 0 };
	struct vyx_reg_sync s;
	size_t changes;

	rows_make(&want, l);
	connect_regd(&s, o);
	fetch(&s, &is);
	vyx_reg_disconnect(&s);
	changes = compare(&is, &want, o);
	free(is.v);
	free(want.v);
	return changes > 0;
}

static void
send_row(struct vyx_reg_sync *s, const struct row *r)
{
	struct vyx_rec_out o = vyx_reg_sync_ask(s, VYX_V_PUT);

	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(r->table));
	vyx_rec_puts(&o, VYX_F_KEY, r->key);
	for (size_t i = 0; i < r->n; i++)
		vyx_rec_puts(&o, r->cols[i].f, r->cols[i].v);
	if (!vyx_rec_end(&o))
		vyx_die_sys(VYX_CONFIG, "%s %.*s does not fit into a record",
		    vyx_rec_table_name(r->table), (int)r->key.n, r->key.p);
	if (s->out.n > FLUSH && !vyx_reg_sync_send(s))
		lost("cannot send rows");
}

int
apply(struct loaded *l, const struct vyx_opt *o)
{
	struct rows is = { .mem = &l->conf.notes }, want = { 0 };
	struct vyx_reg_sync s;
	struct vyx_rec_out out;
	uint32_t commit;

	rows_make(&want, l);
	connect_regd(&s, o);
	if (o->verbose) {
		fetch(&s, &is);
		compare(&is, &want, o);
	}
	out = vyx_reg_sync_ask(&s, VYX_V_BEGIN);
	for (const enum vyx_table *t = rows_tables; *t; t++)
		vyx_rec_putz(&out, VYX_F_REPLACE_TABLE, vyx_rec_table_name(*t));
	vyx_rec_putz(&out, VYX_F_REPLACE_OWNER, OWNER);
	if (!vyx_rec_end(&out))
		lost("cannot begin");
	for (size_t i = 0; i < want.n; i++)
		send_row(&s, &want.v[i]);
	out = vyx_reg_sync_ask(&s, VYX_V_COMMIT);
	commit = s.next_id;
	if (!vyx_rec_end(&out) || !vyx_reg_sync_send(&s))
		lost("cannot commit");
	do {
		if (!vyx_reg_sync_recv(&s))
			lost("nobody knows whether it took effect");
		if (s.rec.verb == VYX_V_NO)
			refused(&s.rec, "it");
	} while (s.rec.verb != VYX_V_OK ||
	    vyx_rec_u(&s.rec, VYX_F_ID) != commit);
	vyx_reg_disconnect(&s);
	free(is.v);
	free(want.v);
	return 0;
}

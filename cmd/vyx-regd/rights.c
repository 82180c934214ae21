/* SPDX-License-Identifier: ISC */
/* rights - who may write what; the tables are in vyx.h. */
#include <stdarg.h>
#include <stdio.h>

#include "regd.h"

/* clang-format off */
#define TABLE(id, name, life, writers, columns) [VYX_T_##id] = writers,
static const char *const writers[VYX_T_COUNT] = { VYX_TABLES(TABLE) };
#define PROC(id, program, dir, user, uid, trusts, keeps) [VYX_P_##id] = #id,
static const char *const procs[VYX_P_COUNT] = { VYX_PROCS(PROC) };
/* clang-format on */

int
regd_refuse(struct regd_why *w, const char *why, const char *fmt, ...)
{
	va_list ap;

	w->why = why;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof w->text, fmt, ap);
	va_end(ap);
	return 0;
}

/* Whether `who` is among the writers of the table. */
static int
writes(enum vyx_table t, const char *who)
{
	struct vyx_str rest = VYX_STRZ(writers[t]), word;

	while (rest.p && (word = vyx_str_cut(&rest, ' ')).n)
		if (vyx_str_eq(word, VYX_STRZ(who)))
			return 1;
	return 0;
}

/* Rows of the configuration are vyx-conf's; operators have their own. */
static int
owner(const struct regd_peer *p, const struct regd_ask *a,
    const struct vyx_row *old, struct regd_why *w)
{
	int conf = p->role == VYX_P_CONF;

	if (!vyx_rec_column(a->table, VYX_F_OWNER))
		return 1;
	if (!a->del && !vyx_str_eq(a->who, VYX_STR("conf")) &&
	    !vyx_str_eq(a->who, VYX_STR("op")))
		return regd_refuse(w, "bad", "owner must be op");
	if (!conf && !a->del && vyx_str_eq(a->who, VYX_STR("conf")))
		return regd_refuse(w, "denied",
		    "owner=conf is for vyx-conf alone, use op");
	if (!conf && old && vyx_str_eq(old->who, VYX_STR("conf")))
		return regd_refuse(w, "denied",
		    "the row is of the configuration: change that, or use "
		    "another key");
	return 1;
}

/* A seen row is of the source that its connection speaks for. */
static int
source(const struct regd_peer *p, const struct regd_ask *a,
    const struct vyx_row *old, struct regd_why *w)
{
	struct vyx_str mine = VYX_STRZ(p->source);

	if (regd_life(a->table) != REGD_SEEN)
		return 1;
	if (!regd_speaks(p))
		return regd_refuse(w, "denied",
		    *p->source ? "another connection speaks for source %s now"
		               : "say sync first%s",
		    p->source);
	if (!a->del && !vyx_str_eq(a->who, mine))
		return regd_refuse(w, "denied", "source must be %s", p->source);
	if (old && old->who.n && !vyx_str_eq(old->who, mine))
		return regd_refuse(w, "denied", "the row is of source %.*s",
		    REGD_SHOW(old->who));
	return 1;
}

int
regd_may(const struct regd_peer *p, const struct regd_ask *a,
    struct regd_why *w)
{
	const struct vyx_row *old =
	    vyx_rows_get(&p->d->table[a->table], a->key);

	if (p->chan.edge == VYX_E_OPS && writes(a->table, "OPS"))
		return owner(p, a, old, w);
	if (p->chan.edge == VYX_E_SEEN && p->role != VYX_P_NONE &&
	    writes(a->table, procs[p->role]))
		return source(p, a, old, w);
	return regd_refuse(w, "denied", "table %s has other writers",
	    vyx_rec_table_name(a->table));
}

int
regd_fits(const struct regd *d, const struct regd_ask *a, struct regd_why *w)
{
	const struct vyx_row *old = vyx_rows_get(&d->table[a->table], a->key);
	size_t rows = 0, bytes = 0;

	if (a->has_if && a->if_rev != (old ? old->rev : 0))
		return old ? regd_refuse(w, "conflict", "its revision is %llu",
		                 (unsigned long long)old->rev)
		           : regd_refuse(w, "conflict", "there is no such row");
	if (a->del)
		return old ? 1 : regd_refuse(w, "gone", "there is no such row");
	for (unsigned t = 1; t < VYX_T_COUNT; t++) {
		rows += d->table[t].n;
		bytes += d->table[t].bytes;
	}
	if ((!old && rows >= REGD_ROWS) ||
	    bytes + a->key.n + a->cols.n > REGD_BYTES)
		return regd_refuse(w, "full", "the registry holds no more");
	return 1;
}

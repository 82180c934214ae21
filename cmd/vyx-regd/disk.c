/* SPDX-License-Identifier: ISC */
/* disk - the two stores: regd.db is waited for, seen.db is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/prog.h"
#include "regd.h"

#define SEEN_AGAIN VYX_SEC /* after it failed */

struct loading {
	struct regd *d;
	struct vyx_store *from;
};

/* Before readiness the reason is for people, behind it for the log. */
static void
cannot(const struct vyx_store *s)
{
	vyx_die(errno == EPROTONOSUPPORT || errno == EBADMSG ? VYX_CONFIG
	                                                     : VYX_SYSTEM,
	    "%s", s->text);
}

static void
failed(const struct vyx_store *s)
{
	vyx_log(VYX_ERROR, "the store fails: nothing more is acknowledged",
	    "reason", s->text, NULL);
	exit(VYX_SYSTEM);
}

/* Columns are in the record form on disk too. What this version's table has
 * no column for is passed over. */
static int
load_row(void *arg, struct vyx_str table, struct vyx_str key, uint64_t rev,
    struct vyx_str cols)
{
	struct loading *l = arg;
	struct regd *d = l->d;
	struct regd_ask a = { .key = key };
	struct regd_why w = { .why = NULL };
	struct vyx_rec r;
	struct vyx_rec_out o;

	d->scratch.n = 0;
	o = vyx_rec_begin(&d->scratch, VYX_V_ROW);
	vyx_rec_putu(&o, VYX_F_ID, 0);
	vyx_rec_puts(&o, VYX_F_TABLE, table);
	vyx_rec_puts(&o, VYX_F_KEY, key);
	vyx_rec_putu(&o, VYX_F_REV, rev);
	if (!o.bad && !vyx_buf_putstr(&d->scratch, cols))
		o.bad = errno;
	r.text = "too long";
	if (!vyx_rec_end(&o) ||
	    !vyx_rec_parse(&r, VYX_E_READ, VYX_LISTENS, d->scratch.p,
	        d->scratch.n, 0) ||
	    !regd_ask(d, &r, &a, &w)) {
		snprintf(l->from->text, sizeof l->from->text,
		    "%.80s: row %.*s %.*s: %s: put a copy in its place, or "
		    "move it away to begin anew",
		    l->from->path, REGD_SHOW(table), REGD_SHOW(key),
		    w.why ? w.text : r.text);
		return errno = EBADMSG, 0;
	}
	if (!vyx_rows_put(&d->table[a.table], a.key, a.who, a.cols, rev))
		return 0;
	if (rev > d->rev)
		d->rev = rev;
	return 1;
}

static int
load_from(struct regd *d, struct vyx_store *s)
{
	struct loading l = { d, s };

	return vyx_store_each(s, load_row, &l);
}

/* Rows of this boot; what another boot saw is not there any more. */
static int
seen_open(struct regd *d)
{
	char boot[65];
	struct vyx_store *s = &d->seen;

	if (!vyx_store_open(s, d->seen_path, VYX_STORE_LAZY) ||
	    !vyx_store_noted(s, "boot", boot, sizeof boot))
		return 0;
	if (strcmp(boot, d->boot))
		return errno = ESTALE, 0;
	if (load_from(d, s))
		return 1;
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (regd_life((enum vyx_table)t) == REGD_SEEN)
			vyx_rows_free(&d->table[t]);
	return 0;
}

/* A new file of what is in memory. */
static int
seen_begin(struct regd *d)
{
	const struct vyx_row *r;
	struct vyx_store *s = &d->seen;

	vyx_store_close(s);
	vyx_store_unlink(d->seen_path);
	if (!vyx_store_open(s, d->seen_path, VYX_STORE_LAZY) ||
	    !vyx_store_note(s, "boot", d->boot))
		return 0;
	for (unsigned t = 1; t < VYX_T_COUNT; t++) {
		struct vyx_str at = { 0 };

		if (regd_life((enum vyx_table)t) != REGD_SEEN)
			continue;
		for (; (r = vyx_rows_after(&d->table[t], at)); at = r->key)
			if (!vyx_store_put(s,
			        vyx_rec_table_name((enum vyx_table)t), r->key,
			        r->rev, r->cols))
				return 0;
	}
	return vyx_store_commit(s);
}

/* Nobody waits for it: memory is still right, and the file is made anew. */
static void
seen_failed(struct regd *d)
{
	vyx_log(VYX_ERROR, "seen rows are in memory only for now", "reason",
	    d->seen.text, NULL);
	vyx_store_close(&d->seen);
	vyx_store_unlink(d->seen_path);
	d->seen_lost = d->loop.now;
}

static void
load_seen(struct regd *d)
{
	if (seen_open(d))
		return;
	if (errno == EBUSY)
		cannot(&d->seen);
	if (errno != ESTALE)
		vyx_log(VYX_WARN, "seen rows are dropped", "reason",
		    d->seen.text, NULL);
	if (!seen_begin(d))
		cannot(&d->seen);
}

/* The state directory, made when only its last part is missing. */
static void
make_state(struct regd *d, const char *state)
{
	int up, n;
	char parent[4096];

	n = snprintf(d->store_path, sizeof d->store_path, "%s/regd.db", state);
	snprintf(d->seen_path, sizeof d->seen_path, "%s/seen.db", state);
	if (n < 0 || n >= (int)sizeof d->store_path - 8)
		vyx_die(VYX_USAGE, "%s: path too long", state);
	if (mkdir(state, 0700) == 0) {
		/* its entry must outlast the power as its files do */
		snprintf(parent, sizeof parent, "%s/..", state);
		if ((up = open(parent, O_RDONLY | O_CLOEXEC)) < 0 || fsync(up))
			vyx_die_sys(VYX_SYSTEM, "%s", parent);
		close(up);
	} else if (errno != EEXIST)
		vyx_die_sys(VYX_SYSTEM, "%s: cannot make the state directory",
		    state);
	if (access(state, R_OK | W_OK | X_OK))
		vyx_die_sys(VYX_SYSTEM, "%s: state directory", state);
}

/* Revisions up to the ceiling may be told; a start begins there, so none is
 * ever told twice. */
static void
raise_ceiling(struct regd *d)
{
	char text[VYX_DEC + 1];

	d->ceiling = d->rev + REGD_AHEAD;
	text[vyx_dec_fmt(text, d->ceiling)] = 0;
	if (!vyx_store_note(&d->store, "ceiling", text))
		failed(&d->store);
}

void
regd_load(struct regd *d, const char *state)
{
	char text[32];
	uint64_t ceiling;

	make_state(d, state);
	if (!vyx_store_open(&d->store, d->store_path, VYX_STORE_SYNC))
		cannot(&d->store);
	if (!load_from(d, &d->store) ||
	    !vyx_store_noted(&d->store, "ceiling", text, sizeof text))
		cannot(&d->store);
	load_seen(d);
	/* rows may lie above it only where the file beside was replaced */
	if (vyx_dec_scan(VYX_STRZ(text), INT64_MAX, &ceiling) &&
	    ceiling > d->rev)
		d->rev = ceiling;
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		d->table[t].rev = d->rev;
	if (!vyx_ring_init(&d->ring, VYX_RING_SIZE, d->rev))
		vyx_die_sys(VYX_SYSTEM, "ring of changes");
	raise_ceiling(d);
	regd_all_stale(d);
	regd_sync_disk(d);
}

void
regd_disk_put(struct regd *d, enum vyx_table t, const struct vyx_row *row)
{
	const char *name = vyx_rec_table_name(t);

	if (regd_life(t) == REGD_PROC ||
	    (regd_life(t) == REGD_SEEN && d->seen_lost))
		return;
	if (regd_life(t) != REGD_SEEN) {
		if (!vyx_store_put(&d->store, name, row->key, row->rev,
		        row->cols))
			failed(&d->store);
	} else if (!vyx_store_put(&d->seen, name, row->key, row->rev,
	               row->cols))
		seen_failed(d);
}

void
regd_disk_del(struct regd *d, enum vyx_table t, struct vyx_str key)
{
	const char *name = vyx_rec_table_name(t);

	if (regd_life(t) == REGD_PROC ||
	    (regd_life(t) == REGD_SEEN && d->seen_lost))
		return;
	if (regd_life(t) != REGD_SEEN) {
		if (!vyx_store_del(&d->store, name, key))
			failed(&d->store);
	} else if (!vyx_store_del(&d->seen, name, key))
		seen_failed(d);
}

void
regd_sync_disk(struct regd *d)
{
	if (d->rev >= d->ceiling)
		raise_ceiling(d);
	if (!vyx_store_commit(&d->store))
		failed(&d->store);
	if (d->seen_lost) {
		if (d->loop.now < d->seen_lost + SEEN_AGAIN)
			return;
		if (!seen_begin(d)) {
			seen_failed(d);
			return;
		}
		d->seen_lost = 0;
		vyx_log(VYX_INFO, "seen rows are on disk again", NULL);
	} else if (!vyx_store_commit(&d->seen))
		seen_failed(d);
}

void
regd_close(struct regd *d)
{
	vyx_store_close(&d->seen);
	vyx_store_close(&d->store);
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		vyx_rows_free(&d->table[t]);
	vyx_ring_free(&d->ring);
	vyx_buf_free(&d->scratch);
	vyx_buf_free(&d->cols);
}

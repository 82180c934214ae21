/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "sys/reg.h"
#include "sys/reg_keys.h"

#define ASKED 64
#define HELLO_WAIT (10 * VYX_SEC)
#define RETRY_FIRST (10 * VYX_MS)
#define RETRY_LAST (500 * VYX_MS)

struct vyx_reg_asked {
	uint32_t id;
	int many; /* ls: row, row, ... end */
	vyx_reg_answer *fn;
	void *arg;
};

static void
again(struct vyx_reg *g)
{
	uint64_t wait = RETRY_FIRST << (g->tries < 6 ? g->tries : 6);

	g->tries++;
	vyx_loop_timer(g->loop, &g->retry,
	    g->loop->now + (wait < RETRY_LAST ? wait : RETRY_LAST));
}

static void
lost(struct vyx_chan *c, int error)
{
	struct vyx_reg *g = VYX_OF(c, struct vyx_reg, chan);
	int was_up = g->up;

	if (was_up)
		vyx_log(VYX_WARN, "registry lost", "error",
		    error ? strerror(error) : "closed", NULL);
	g->up = g->snapshot = 0;
	g->batch.n = 0;
	while (g->nasked) {
		struct vyx_reg_asked a = g->asked[--g->nasked];

		if (a.fn)
			a.fn(a.arg, NULL);
	}
	if (was_up && g->ops->link)
		g->ops->link(g, 0);
	again(g);
}

static void
watch(struct vyx_reg *g, uint64_t from)
{
	struct vyx_rec_out o;

	if (!g->tables)
		return;
	o = vyx_reg_ask(g, VYX_V_WATCH);
	g->watch_id = g->next_id;
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (g->tables & 1U << t)
			vyx_rec_putz(&o, VYX_F_TABLES, vyx_rec_table_name(t));
	if (from)
		vyx_rec_putu(&o, VYX_F_FROM, from);
	if (vyx_rec_end(&o))
		vyx_chan_put(&g->chan);
}

static void
greeted(struct vyx_reg *g, const struct vyx_rec *r)
{
	struct vyx_str boot = vyx_rec_str(r, VYX_F_BOOT);

	if (vyx_rec_u(r, VYX_F_PROTO) < VYX_PROTO_MIN) {
		vyx_log(VYX_ERROR, "registry speaks an older protocol",
		    "protocol", VYX_NUM(vyx_rec_u(r, VYX_F_PROTO)), NULL);
		vyx_chan_close(&g->chan);
		lost(&g->chan, EPROTO);
		return;
	}
	memcpy(g->boot, boot.p, boot.n); /* 64 at most, by the map */
	g->boot[boot.n] = 0;
	g->up = 1;
	g->tries = 0;
	vyx_loop_cancel(g->loop, &g->retry);
	watch(g, g->synced ? g->rev : 0);
	if (g->ops->link)
		g->ops->link(g, 1);
}

/* Keep a change until its commit; the bytes of `r` live shorter than that. */
static int
keep(struct vyx_reg *g, const struct vyx_rec *r)
{
	struct vyx_rec_out o = vyx_rec_begin(&g->batch, r->verb);

	for (unsigned i = 0; i < r->n; i++)
		vyx_rec_puts(&o, r->f[i].id, r->f[i].v);
	return vyx_rec_end(&o);
}

static void
forget(void *arg, enum vyx_table table, struct vyx_str key)
{
	struct vyx_reg *g = arg;

	g->ops->del(g, table, key);
}

static void
apply_one(struct vyx_reg *g, const struct vyx_rec *r)
{
	struct vyx_str key = vyx_rec_str(r, VYX_F_KEY);

	if (r->verb == VYX_V_DEL) {
		if (vyx_reg_keys_del(g->keys, r->table, key))
			g->ops->del(g, r->table, key);
		return;
	}
	if (vyx_reg_keys_add(g->keys, r->table, key))
		g->ops->put(g, r);
	else
		vyx_log_sys(VYX_ERROR, "cannot keep a row", NULL);
}

static void
apply(struct vyx_reg *g, uint64_t rev)
{
	struct vyx_rec r;
	size_t at = 0, len;

	if (g->snapshot)
		vyx_reg_keys_age(g->keys);
	while ((len = vyx_rec_len(g->batch.p + at, g->batch.n - at, 0)) > 0) {
		if (vyx_rec_parse(&r, VYX_E_READ, VYX_LISTENS, g->batch.p + at,
		        len, 0))
			apply_one(g, &r);
		at += len;
	}
	if (g->snapshot)
		vyx_reg_keys_sweep(g->keys, forget, g);
	g->batch.n = 0;
	g->snapshot = 0;
	g->synced = 1;
	g->rev = rev;
	g->ops->commit(g, rev);
}

static void
watched(struct vyx_reg *g, const struct vyx_rec *r)
{
	switch (r->verb) {
	case VYX_V_NO: /* compacted: what we have is too old to go on from */
		if (g->synced && g->rev) {
			g->synced = 0;
			watch(g, 0);
		} else
			vyx_log(VYX_ERROR, "registry refuses the watch", NULL);
		break;
	case VYX_V_SNAPSHOT:
		g->batch.n = 0;
		g->snapshot = 1;
		break;
	case VYX_V_ROW:
	case VYX_V_PUT:
	case VYX_V_DEL:
		if (!keep(g, r)) {
			vyx_log_sys(VYX_ERROR, "cannot keep a change", NULL);
			vyx_chan_close(&g->chan);
			lost(&g->chan, ENOMEM);
		}
		break;
	case VYX_V_SYNCED:
	case VYX_V_COMMIT:
		apply(g, vyx_rec_u(r, VYX_F_REV));
		break;
	default: /* cut: regd closes behind it, and we come back from rev */
		break;
	}
}

static void
answered(struct vyx_reg *g, const struct vyx_rec *r)
{
	uint32_t id = (uint32_t)vyx_rec_u(r, VYX_F_ID);

	for (unsigned i = 0; i < g->nasked; i++) {
		struct vyx_reg_asked a = g->asked[i];

		if (a.id != id)
			continue;
		if (!a.many || r->verb != VYX_V_ROW)
			g->asked[i] = g->asked[--g->nasked];
		if (a.fn)
			a.fn(a.arg, r);
		return;
	}
}

static void
got(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	struct vyx_reg *g = VYX_OF(c, struct vyx_reg, chan);

	(void)fd; /* the map lets none cross */
	if (r->verb == VYX_V_HELLO)
		greeted(g, r);
	else if (g->watch_id && vyx_rec_u(r, VYX_F_ID) == g->watch_id)
		watched(g, r);
	else
		answered(g, r);
}

/* Dial; or hello was not answered in time. */
static void
dial(struct vyx_timer *t)
{
	struct vyx_reg *g = VYX_OF(t, struct vyx_reg, retry);
	struct vyx_rec_out o;
	int fd;

	if (!g->chan.closed)
		vyx_chan_close(&g->chan);
	if ((fd = vyx_chan_dial(g->path, 0)) < 0) {
		again(g);
		return;
	}
	if (!vyx_chan_open(&g->chan, fd, g->edge, VYX_CONNECTS)) {
		vyx_log_sys(VYX_ERROR, "cannot watch the registry", NULL);
		again(g);
		return;
	}
	g->watch_id = 0;
	o = vyx_rec_begin(&g->chan.out, VYX_V_HELLO);
	vyx_rec_putu(&o, VYX_F_PROTO, VYX_PROTO);
	vyx_rec_putz(&o, VYX_F_ROLE, g->role);
	vyx_rec_putz(&o, VYX_F_NAME, g->name);
	if (vyx_rec_end(&o))
		vyx_chan_put(&g->chan);
	vyx_loop_timer(g->loop, &g->retry, g->loop->now + HELLO_WAIT);
}

int
vyx_reg_start(struct vyx_reg *g, const char *run)
{
	int n = snprintf(g->path, sizeof g->path, "%s/%s", run,
	    vyx_rec_edge_socket(g->edge));

	if (n < 0 || n > VYX_PATH_MAX)
		return errno = ENAMETOOLONG, 0;
	g->asked = calloc(ASKED, sizeof *g->asked);
	g->keys = vyx_reg_keys_new();
	if (!g->asked || !g->keys)
		return 0;
	g->chan.loop = g->loop;
	g->chan.on_rec = got;
	g->chan.on_close = lost;
	g->chan.closed = 1;
	g->retry = (struct vyx_timer){ .fn = dial };
	dial(&g->retry);
	return 1;
}

void
vyx_reg_stop(struct vyx_reg *g)
{
	vyx_loop_cancel(g->loop, &g->retry);
	if (!g->chan.closed)
		vyx_chan_finish(&g->chan);
	g->up = 0;
	vyx_buf_free(&g->batch);
	vyx_reg_keys_free(g->keys);
	free(g->asked);
	g->keys = NULL;
	g->asked = NULL;
	g->nasked = 0;
}

struct vyx_rec_out
vyx_reg_ask(struct vyx_reg *g, enum vyx_verb verb)
{
	struct vyx_rec_out o = vyx_rec_begin(&g->chan.out, verb);

	if (++g->next_id == 0)
		g->next_id = 1;
	vyx_rec_putu(&o, VYX_F_ID, g->next_id);
	g->many = verb == VYX_V_LS;
	return o;
}

int
vyx_reg_send(struct vyx_reg *g, struct vyx_rec_out *o, vyx_reg_answer *fn,
    void *arg)
{
	if (!o->bad && !g->up)
		o->bad = ENOTCONN;
	if (!o->bad && g->nasked == ASKED)
		o->bad = EBUSY;
	if (!vyx_rec_end(o))
		return 0;
	g->asked[g->nasked++] =
	    (struct vyx_reg_asked){ g->next_id, g->many, fn, arg };
	return vyx_chan_put(&g->chan);
}

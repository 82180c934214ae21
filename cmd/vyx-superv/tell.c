/* SPDX-License-Identifier: ISC */
/*
 * tell - our rows in vyx-regd. States are told, not events: an instance is
 * marked, and its rows are written from what it is when there is room. After
 * each connect all are told again between `sync` and `synced`, so that what
 * is gone since goes there too.
 */
#include <stdio.h>
#include <unistd.h>

#include "superv.h"

#define ASKED 48 /* requests under way; the registry takes 64 */

static void
answered(void *arg, const struct vyx_rec *r)
{
	struct superv *s = arg;
	struct vyx_str text;

	s->asked--;
	if (r && r->verb == VYX_V_NO) {
		text = vyx_rec_str(r, VYX_F_TEXT);
		vyx_log(VYX_ERROR, "registry refused a row", "why",
		    text.n ? text.p : "it gave no reason", NULL);
	}
	vyx_loop_defer(&s->loop, &s->tell);
}

static int
send_it(struct superv *s, struct vyx_rec_out *o)
{
	if (!vyx_reg_send(&s->reg, o, answered, s))
		return 0;
	s->asked++;
	return 1;
}

static int
put_instance(struct inst *n)
{
	struct vyx_rec_out o = vyx_reg_ask(&n->s->reg, VYX_V_PUT);

	vyx_rec_putz(&o, VYX_F_TABLE, "instance");
	vyx_rec_putz(&o, VYX_F_KEY, n->id);
	vyx_rec_putz(&o, VYX_F_WORKER, n->worker);
	vyx_rec_putz(&o, VYX_F_SOURCE, "superv");
	if (n->pid)
		vyx_rec_putu(&o, VYX_F_PID, n->pid);
	vyx_rec_putz(&o, VYX_F_STATE, vyx_rec_state_name(n->state));
	if (*n->code)
		vyx_rec_putz(&o, VYX_F_CODE, n->code);
	vyx_rec_putu(&o, VYX_F_RESTARTS, n->restarts);
	vyx_rec_putu(&o, VYX_F_SINCE, n->since);
	vyx_rec_putz(&o, VYX_F_SPEC, n->spec);
	if (n->failed)
		vyx_rec_putz(&o, VYX_F_TEXT, n->failed);
	n->told_instance = 1;
	return send_it(n->s, &o);
}

/* With {fd} the socket takes connections also while the worker restarts. */
static const char *
endpoint_state(const struct inst *n)
{
	if (n->phase == DRAINING)
		return "draining";
	if (n->phase == WANTED && !n->failed &&
	    (n->state == VYX_S_READY || n->fd))
		return "up";
	return "down";
}

static int
put_endpoint(struct inst *n)
{
	struct vyx_rec_out o = vyx_reg_ask(&n->s->reg, VYX_V_PUT);
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s/s", n->s->w, n->name);
	vyx_rec_putz(&o, VYX_F_TABLE, "endpoint");
	vyx_rec_putz(&o, VYX_F_KEY, n->id);
	vyx_rec_putz(&o, VYX_F_WORKER, n->worker);
	vyx_rec_putz(&o, VYX_F_SOURCE, "superv");
	vyx_rec_putz(&o, VYX_F_PATH, path);
	vyx_rec_putz(&o, VYX_F_KIND, "local");
	vyx_rec_putu(&o, VYX_F_MAX, n->max);
	vyx_rec_putu(&o, VYX_F_TUNNELS, n->tunnels);
	vyx_rec_putu(&o, VYX_F_WARM, n->warm);
	vyx_rec_putz(&o, VYX_F_STATE, endpoint_state(n));
	n->told_endpoint = 1;
	return send_it(n->s, &o);
}

static int
del(struct inst *n, const char *table)
{
	struct vyx_rec_out o = vyx_reg_ask(&n->s->reg, VYX_V_DEL);

	vyx_rec_putz(&o, VYX_F_TABLE, table);
	vyx_rec_putz(&o, VYX_F_KEY, n->id);
	return send_it(n->s, &o);
}

static int
tell(struct inst *n)
{
	if (n->phase == GONE)
		return (!n->told_endpoint || del(n, "endpoint")) &&
		    (!n->told_instance || del(n, "instance"));
	return put_instance(n) && (!n->was_ready || put_endpoint(n));
}

static int
say(struct superv *s, enum vyx_verb verb)
{
	struct vyx_rec_out o = vyx_reg_ask(&s->reg, verb);

	if (verb == VYX_V_SYNC)
		vyx_rec_putz(&o, VYX_F_SOURCE, "superv");
	return send_it(s, &o);
}

void
tell_run(struct vyx_task *t)
{
	struct superv *s = VYX_OF(t, struct superv, tell);
	struct inst *n, *next;

	if (!s->reg.up)
		return;
	for (n = s->insts; n; n = next) {
		next = n->next;
		if (!n->dirty)
			continue;
		if (s->asked + 2 > ASKED)
			return; /* an answer brings us back */
		n->dirty = 0;
		if (!tell(n))
			return; /* the link is lost: all is told anew */
		if (n->phase == GONE)
			inst_free(n);
	}
	if (s->syncing && s->asked < ASKED && say(s, VYX_V_SYNCED))
		s->syncing = 0;
}

void
tell_soon(struct inst *n)
{
	n->dirty = 1;
	vyx_loop_defer(&n->s->loop, &n->s->tell);
}

static int
put_proc(struct superv *s)
{
	struct vyx_rec_out o = vyx_reg_ask(&s->reg, VYX_V_PUT);

	vyx_rec_putz(&o, VYX_F_TABLE, "proc");
	vyx_rec_putz(&o, VYX_F_KEY, "superv");
	vyx_rec_putz(&o, VYX_F_PROGRAM, "vyx-superv");
	vyx_rec_putu(&o, VYX_F_PID, (uint64_t)getpid());
	vyx_rec_putz(&o, VYX_F_VERSION, VYX_VERSION);
	vyx_rec_putz(&o, VYX_F_STATE, "ready");
	return send_it(s, &o);
}

static void
linked(struct vyx_reg *g, int up)
{
	struct superv *s = VYX_OF(g, struct superv, reg);
	struct inst *n, *next;

	s->asked = 0;
	if (!up)
		return;
	s->syncing = 1;
	for (n = s->insts; n; n = next) {
		next = n->next;
		n->dirty = 1;
		n->told_instance = n->told_endpoint = 0;
		if (n->phase == GONE)
			inst_free(n); /* not named, so synced sweeps it */
	}
	if (put_proc(s) && say(s, VYX_V_SYNC))
		vyx_loop_defer(&s->loop, &s->tell);
}

static void
put(struct vyx_reg *g, const struct vyx_rec *row)
{
	struct superv *s = VYX_OF(g, struct superv, reg);
	struct vyx_str key = vyx_rec_str(row, VYX_F_KEY), name = key, gen;
	uint64_t v;

	if (row->table == VYX_T_WORKER) {
		work_put(s, row);
		return;
	}
	/* use: also of instances before our time, whose generations it keeps
	 * us from using again */
	vyx_str_cut(&name, '#');
	gen = name;
	if (gen.p && vyx_dec_scan(gen, UINT64_MAX, &v) && v > s->gen)
		s->gen = v;
	if (vyx_rec_u(row, VYX_F_DRAINED))
		inst_drained(s, key);
}

static void
gone(struct vyx_reg *g, enum vyx_table table, struct vyx_str key)
{
	if (table == VYX_T_WORKER)
		work_del(VYX_OF(g, struct superv, reg), key);
}

static void
committed(struct vyx_reg *g, uint64_t rev)
{
	struct superv *s = VYX_OF(g, struct superv, reg);

	(void)rev;
	s->known = 1;
	plan_soon(s);
}

const struct vyx_reg_ops tell_ops = { put, gone, committed, linked };

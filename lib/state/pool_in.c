/* SPDX-License-Identifier: ISC */
/* pool_in - what the peers say. */
#include <errno.h>

#include "state/pool_i.h"

static int
refuse(const char **why, int error, const char *text)
{
	*why = text;
	errno = error;
	return 0;
}

static int
on_hello(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    const char **why)
{
	struct vyx_pool_msg h = { .verb = VYX_V_HELLO, .proto = VYX_PROTO };
	struct vyx_pworker *w;

	if (q->heard)
		return refuse(why, EPROTO, "hello again");
	if (m->proto < VYX_PROTO_MIN)
		return refuse(why, EPROTONOSUPPORT, "protocol is too old");
	if (m->role == VYX_P_NONE || m->name.n > VYX_POOL_I)
		return refuse(why, EPROTO, "no such role");
	h.name = VYX_STR("vyx-poold");
	if (!p->ops->send(p->arg, q->user, &h, -1))
		return refuse(why, EPROTO, "cannot be greeted");
	q->heard = 1;
	q->role = m->role;
	q->pid = m->pid;
	memcpy(q->name, m->name.p, m->name.n);
	for (w = p->workers; w; w = w->next)
		vyx_pworker_touch(w); /* windows for it, shares for all */
	return 1;
}

/* A connection that an earlier life of poold lent. */
static int
adopt(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    int fd)
{
	struct vyx_pinst *i = vyx_pinst_make(p, m->i);
	struct vyx_pconn *c = i ? vyx_pconn_new(p, i, m->c, fd) : NULL;

	if (!c)
		return 0;
	/*
	 * One of this life that is not in the table was ended already: the
	 * router will see its hang-up and say so. It counts in nothing.
	 */
	if (m->c < p->first) {
		vyx_pconn_count(c, 1);
		if (m->state == VYX_S_TUNNEL)
			c->place = VYX_POOL_TUNNEL;
		vyx_pinst_assort(i);
		vyx_pconn_own(c, q);
		if (fd < 0) /* could not be taken back by force */
			vyx_pinst_void(p, i, m->c + 1);
		if (m->c < i->mark) /* q was away when that was told */
			i->void_for |= UINT64_C(1) << q->slot;
		vyx_pinst_trim(p, i);
		return 1;
	}
	c->fd = -1;
	vyx_pconn_own(c, q);
	return 2;
}

static int
on_hold(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    int fd, const char **why)
{
	struct vyx_pconn *c = vyx_pconn_find(p, m->c);

	if (!c) {
		if (m->c >= p->next)
			return refuse(why, EPROTO, "a number never given");
		return adopt(p, q, m, fd);
	}
	if (!c->peer || c->place == VYX_POOL_LINGER)
		return refuse(why, EPROTO, "holds what was not lent");
	if (c->peer == q) {
		if (!c->moved)
			return refuse(why, EPROTO, "holds it already");
		c->moved = 0;
	} else
		c->claim = q;
	return 2;
}

/* Workers that no row named, only needs: a peer may not fill the table. */
static int
too_many_strays(const struct vyx_pool *p)
{
	const struct vyx_pworker *w;
	uint32_t n = 0;

	for (w = p->workers; w; w = w->next)
		n += !w->known && !w->insts;
	return n >= VYX_POOL_STRAYS;
}

static int
on_need(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    const char **why)
{
	struct vyx_pworker *w = vyx_pworker_find(p, m->w);
	struct vyx_plink *l;
	struct vyx_pinst *i;
	unsigned k;

	if (!w && too_many_strays(p))
		return refuse(why, EPROTO, "too many unknown workers");
	if (!w)
		w = vyx_pworker_make(p, m->w);
	l = w ? vyx_plink_make(w, q) : NULL;
	if (!l)
		return 0;
	l->waiting = l->owed = m->waiting;
	l->since = m->since;
	for (i = w->insts; i; i = i->wnext)
		i->lack[q->slot] = 0;
	for (k = 0; k < m->lacks; k++) {
		i = vyx_pinst_find(p, m->lack[k].i);
		if (i && i->worker == w)
			i->lack[q->slot] = (uint16_t)m->lack[k].n;
	}
	vyx_pworker_touch(w);
	return 1;
}

/* The borrower says what became of c. */
static int
on_return(struct vyx_pool *p, struct vyx_ppeer *q, struct vyx_pconn *c,
    const struct vyx_pool_msg *m, uint64_t now)
{
	struct vyx_plink *l = vyx_pconn_link(c);

	if (l)
		l->recall_from = now;
	if (l && l->told_n && m->verb == VYX_V_GIVE) {
		l->told_n--; /* as the router counts */
		c->inst->worker->recalls++;
	}
	if (m->verb == VYX_V_LOST) {
		q->paused = now + VYX_PAUSE_NS;
		vyx_pool_by(p, q->paused);
	}
	if (m->verb != VYX_V_DROP) {
		vyx_pconn_rest(p, c, now);
		return 1;
	}
	if (m->why != VYX_POOL_ABORT || c->counts != 1 || c->fd < 0 ||
	    !vyx_pconn_watch(p, c, 2)) {
		vyx_pconn_end(p, c);
		return 1;
	}
	vyx_pconn_disown(c);
	c->place = VYX_POOL_LINGER;
	vyx_pconn_ends_at(p, c, now + VYX_LINGER_NS);
	return 1;
}

static void
on_tunnel(struct vyx_pconn *c)
{
	c->place = VYX_POOL_TUNNEL;
	vyx_pinst_assort(c->inst);
	vyx_pinst_unstuck(c);
	vyx_pinst_touch(c->inst);
}

static int
on_moved(struct vyx_pool *p, struct vyx_pconn *c, const struct vyx_pool_msg *m,
    uint64_t now)
{
	struct vyx_ppeer *to = c->claim;
	uint32_t k;

	for (k = 0; k < VYX_POOL_PEERS && !to; k++)
		if (p->peer[k] && p->peer[k] != c->peer &&
		    vyx_str_eq(m->to, VYX_STRZ(p->peer[k]->name)))
			to = p->peer[k];
	if (!to) {
		vyx_pconn_end(p, c);
		return 1;
	}
	vyx_pconn_disown(c);
	vyx_pconn_own(c, to);
	c->moved = c->claim == NULL;
	c->claim = NULL;
	if (c->moved) /* `to` may have ended it before it could say hold */
		vyx_pconn_ends_at(p, c, now + VYX_LINGER_NS);
	return 1;
}

/* The verbs that name a connection lent to the speaker. */
static int
on_conn(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    uint64_t now, const char **why)
{
	struct vyx_pconn *c = vyx_pconn_find(p, m->c);

	if (!c && m->verb == VYX_V_MOVED)
		return 1; /* whom it was moved to has ended it already */
	if (!c || (c->peer != q && c->claim != q))
		return refuse(why, EPROTO, "not its loan");
	switch (m->verb) {
	case VYX_V_GIVE:
		if (c->place == VYX_POOL_LENT)
			return on_return(p, q, c, m, now);
		return refuse(why, EPROTO, "gives a tunnel");
	case VYX_V_LOST:
		if (c->place == VYX_POOL_LENT)
			return on_return(p, q, c, m, now);
		return refuse(why, EPROTO, "lost a tunnel");
	case VYX_V_DROP:
		return on_return(p, q, c, m, now);
	case VYX_V_STUCK:
		vyx_pinst_stuck(p, c, m->byte, now);
		return 1;
	case VYX_V_TUNNEL:
		if (c->place != VYX_POOL_LENT)
			return refuse(why, EPROTO, "a tunnel already");
		on_tunnel(c);
		return 1;
	default:
		return on_moved(p, c, m, now);
	}
}

static void
on_bye(struct vyx_pool *p, struct vyx_ppeer *q)
{
	struct vyx_pworker *w;

	q->bye = 1;
	for (w = p->workers; w; w = w->next)
		vyx_pworker_touch(w);
}

int
vyx_pool_record(struct vyx_pool *p, struct vyx_ppeer *q,
    const struct vyx_pool_msg *m, int fd, uint64_t now, const char **why)
{
	struct vyx_pinst *i;

	vyx_pool_by(p, 0);
	*why = "no memory";
	if (m->verb == VYX_V_HELLO)
		return on_hello(p, q, m, why);
	if (!q->heard)
		return refuse(why, EPROTO, "no hello");
	if (m->verb == VYX_V_HOLD)
		return on_hold(p, q, m, fd, why);
	if (m->verb == VYX_V_HELD) {
		if (q->held)
			return refuse(why, EPROTO, "held again");
		q->held = 1;
		on_bye(p, q);
		q->bye = 0;
		return 1;
	}
	if (m->verb == VYX_V_GIVE || m->verb == VYX_V_DROP ||
	    m->verb == VYX_V_LOST || m->verb == VYX_V_STUCK ||
	    m->verb == VYX_V_TUNNEL || m->verb == VYX_V_MOVED)
		return on_conn(p, q, m, now, why);
	if (!q->held)
		return refuse(why, EPROTO, "not before held");
	if (m->verb == VYX_V_NEED)
		return on_need(p, q, m, why);
	if (m->verb == VYX_V_SAYS) {
		if ((i = vyx_pinst_find(p, m->i)))
			vyx_pinst_says(p, i, m->keeps);
		return 1;
	}
	if (m->verb != VYX_V_BYE)
		return refuse(why, EPROTO, "no word of a borrower");
	on_bye(p, q);
	return 1;
}

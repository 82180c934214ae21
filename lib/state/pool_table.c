/* SPDX-License-Identifier: ISC */
/* pool_table - workers, instances, peers, and connections by number. */
#include <errno.h>
#include <stdlib.h>

#include "state/pool_i.h"

struct vyx_pool *
vyx_pool_new(const struct vyx_pool_ops *ops, void *arg, uint64_t first,
    uint64_t seed, uint64_t now)
{
	struct vyx_pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->buckets = 256;
	if (!(p->hash = calloc(p->buckets, sizeof(struct vyx_pconn *)))) {
		free(p);
		return NULL;
	}
	p->ops = ops;
	p->arg = arg;
	p->first = p->next = first;
	p->random = seed | 1;
	p->settle_at = now + VYX_POOL_SETTLE_NS;
	p->scan_at = VYX_PNEVER;
	p->due = p->settle_at;
	return p;
}

void
vyx_pool_free(struct vyx_pool *p)
{
	struct vyx_pworker *w;
	struct vyx_pinst *i;
	struct vyx_pconn *c;
	uint32_t k;

	while ((i = p->insts)) {
		while ((c = i->conns)) {
			i->conns = c->next;
			if (c->watched)
				p->ops->watch(p->arg, c, 0);
			free(c);
		}
		p->insts = i->next;
		free(i);
	}
	while ((w = p->workers)) {
		for (k = 0; k < VYX_POOL_PEERS; k++)
			free(w->link[k]);
		p->workers = w->next;
		free(w);
	}
	for (k = 0; k < VYX_POOL_PEERS; k++)
		free(p->peer[k]);
	free(p->hash);
	free(p);
}

/* ---- workers and instances ---- */

struct vyx_pworker *
vyx_pworker_find(const struct vyx_pool *p, struct vyx_str id)
{
	struct vyx_pworker *w;

	for (w = p->workers; w; w = w->next)
		if (vyx_str_eq(vyx_pworker_id(w), id))
			return w;
	return NULL;
}

struct vyx_pworker *
vyx_pworker_make(struct vyx_pool *p, struct vyx_str id)
{
	struct vyx_pworker *w = vyx_pworker_find(p, id);

	if (w)
		return w;
	if (id.n == 0 || id.n > VYX_POOL_W) {
		errno = EINVAL;
		return NULL;
	}
	if (!(w = calloc(1, sizeof *w)))
		return NULL;
	w->pool = p;
	memcpy(w->id, id.p, id.n);
	w->idn = (uint8_t)id.n;
	w->next = p->workers;
	p->workers = w;
	vyx_pworker_touch(w);
	return w;
}

int
vyx_pool_worker(struct vyx_pool *p, struct vyx_str id, uint64_t idle_ms,
    uint64_t now)
{
	struct vyx_pworker *w = vyx_pworker_make(p, id);

	if (!w)
		return 0;
	w->known = 1;
	w->idle_ms = idle_ms;
	vyx_pworker_touch(w);
	vyx_pool_by(p, now);
	return 1;
}

void
vyx_pool_worker_del(struct vyx_pool *p, struct vyx_str id, uint64_t now)
{
	struct vyx_pworker *w = vyx_pworker_find(p, id);

	if (!w)
		return;
	w->known = 0;
	vyx_pworker_touch(w);
	vyx_pool_by(p, now);
}

struct vyx_pinst *
vyx_pinst_find(const struct vyx_pool *p, struct vyx_str id)
{
	struct vyx_pinst *i;

	for (i = p->insts; i; i = i->next)
		if (vyx_str_eq(vyx_pinst_id(i), id))
			return i;
	return NULL;
}

struct vyx_pinst *
vyx_pinst_make(struct vyx_pool *p, struct vyx_str id)
{
	struct vyx_pinst *i = vyx_pinst_find(p, id);

	if (i)
		return i;
	if (id.n == 0 || id.n > VYX_POOL_I) {
		errno = EINVAL;
		return NULL;
	}
	if (!(i = calloc(1, sizeof *i)))
		return NULL;
	memcpy(i->id, id.p, id.n);
	i->idn = (uint8_t)id.n;
	i->next = p->insts;
	p->insts = i;
	return i;
}

static void
unbind(struct vyx_pinst *i)
{
	struct vyx_pinst **at;

	if (!i->worker)
		return;
	for (at = &i->worker->insts; *at != i; at = &(*at)->wnext)
		;
	*at = i->wnext;
	vyx_pworker_touch(i->worker);
	i->worker = NULL;
}

void
vyx_pinst_bind(struct vyx_pinst *i, struct vyx_pworker *w)
{
	struct vyx_pconn *c;
	struct vyx_plink *l;

	if (i->worker == w)
		return;
	unbind(i);
	i->worker = w;
	i->wnext = w->insts;
	w->insts = i;
	/* what was held before its row came counts as the worker's now */
	for (c = i->conns; c; c = c->next)
		if (c->peer && (l = vyx_plink_make(w, c->peer)))
			l->loans++;
}

void
vyx_pinst_reap(struct vyx_pool *p, struct vyx_pinst *i)
{
	struct vyx_pinst **at = &p->insts;

	if (i->known || i->conns || i->void_for)
		return;
	unbind(i);
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	free(i);
}

void
vyx_pworker_touch(struct vyx_pworker *w)
{
	if (w->dirty)
		return;
	w->dirty = 1;
	w->dnext = w->pool->dirty;
	w->pool->dirty = w;
}

void
vyx_pinst_touch(struct vyx_pinst *i)
{
	if (i->worker)
		vyx_pworker_touch(i->worker);
}

struct vyx_plink *
vyx_plink_make(struct vyx_pworker *w, const struct vyx_ppeer *q)
{
	if (!w->link[q->slot])
		w->link[q->slot] = calloc(1, sizeof(struct vyx_plink));
	return w->link[q->slot];
}

/* ---- connections ---- */

static struct vyx_pconn **
bucket(const struct vyx_pool *p, uint64_t c)
{
	return &p->hash[(c ^ c >> 20) & (p->buckets - 1)];
}

/* Longer chains when there is no memory: slower, not wrong. */
static void
grow(struct vyx_pool *p)
{
	struct vyx_pconn **old = p->hash, *c, *next, **at;
	uint32_t k, n = p->buckets;

	if (!(p->hash = calloc(2 * n, sizeof(struct vyx_pconn *)))) {
		p->hash = old;
		return;
	}
	p->buckets = 2 * n;
	for (k = 0; k < n; k++)
		for (c = old[k]; c; c = next) {
			next = c->hnext;
			at = bucket(p, c->c);
			c->hnext = *at;
			*at = c;
		}
	free(old);
}

struct vyx_pconn *
vyx_pconn_find(const struct vyx_pool *p, uint64_t number)
{
	struct vyx_pconn *c = *bucket(p, number);

	while (c && c->c != number)
		c = c->hnext;
	return c;
}

struct vyx_pconn *
vyx_pconn_new(struct vyx_pool *p, struct vyx_pinst *i, uint64_t number, int fd)
{
	struct vyx_pconn *c = calloc(1, sizeof *c), *before, **at;

	if (!c)
		return NULL;
	c->c = number;
	c->fd = fd;
	c->inst = i;
	c->place = VYX_POOL_LENT;
	for (before = i->last; before && before->c > number;)
		before = before->prev;
	c->prev = before;
	c->next = before ? before->next : i->conns;
	*(c->next ? &c->next->prev : &i->last) = c;
	*(before ? &before->next : &i->conns) = c;
	if (++p->conns > 2 * p->buckets)
		grow(p);
	at = bucket(p, number);
	c->hnext = *at;
	*at = c;
	return c;
}

void
vyx_pconn_unlink(struct vyx_pool *p, struct vyx_pconn *c)
{
	struct vyx_pconn **at = bucket(p, c->c);

	while (*at != c)
		at = &(*at)->hnext;
	*at = c->hnext;
	*(c->next ? &c->next->prev : &c->inst->last) = c->prev;
	*(c->prev ? &c->prev->next : &c->inst->conns) = c->next;
	p->conns--;
}

/* ---- peers ---- */

struct vyx_ppeer *
vyx_pool_peer(struct vyx_pool *p, void *user, uint64_t now)
{
	struct vyx_ppeer *q;
	uint32_t slot = 0;

	while (slot < VYX_POOL_PEERS && p->peer[slot])
		slot++;
	if (slot == VYX_POOL_PEERS) {
		errno = EUSERS;
		return NULL;
	}
	if (!(q = calloc(1, sizeof *q)))
		return NULL;
	q->user = user;
	q->slot = slot;
	p->peer[slot] = q;
	vyx_pool_by(p, now);
	return q;
}

int
vyx_pool_peer_held(const struct vyx_ppeer *q)
{
	return q->held;
}

const char *
vyx_pool_peer_name(const struct vyx_ppeer *q)
{
	return q->name;
}

enum vyx_proc
vyx_pool_peer_role(const struct vyx_ppeer *q)
{
	return q->role;
}

uint32_t
vyx_pool_peer_loans(const struct vyx_ppeer *q)
{
	return q->loans;
}

/* ---- figures ---- */

static void
add(const struct vyx_pinst *i, struct vyx_pool_stat *s)
{
	const struct vyx_pconn *c;

	for (c = i->conns; c; c = c->next) {
		s->idle += c->place == VYX_POOL_FREE;
		s->lent += c->place == VYX_POOL_LENT && c->counts;
		s->linger += c->place == VYX_POOL_LINGER;
		s->tunnels += c->place == VYX_POOL_TUNNEL;
	}
	s->max += i->known ? vyx_pinst_max(i) : 0;
	s->dials += i->stat.dials;
	s->failed += i->stat.failed;
	s->pushes += i->stat.pushes;
	s->stale += i->stat.stale;
	s->expired += i->stat.expired;
	s->voids += i->stat.voids;
}

int
vyx_pool_stat_worker(const struct vyx_pool *p, struct vyx_str id,
    struct vyx_pool_stat *s)
{
	const struct vyx_pworker *w = vyx_pworker_find(p, id);
	const struct vyx_pinst *i;
	uint32_t k;

	memset(s, 0, sizeof *s);
	if (!w) {
		errno = ENOENT;
		return 0;
	}
	for (i = w->insts; i; i = i->wnext)
		add(i, s);
	for (k = 0; k < VYX_POOL_PEERS; k++)
		if (w->link[k])
			s->waiting += w->link[k]->waiting;
	s->recalls = w->recalls;
	return 1;
}

void
vyx_pool_stat_inst(const struct vyx_pinst *i, struct vyx_pool_stat *s)
{
	memset(s, 0, sizeof *s);
	add(i, s);
}

const char *
vyx_pool_inst_class(const struct vyx_pinst *i)
{
	if (i->serial_until)
		return "serial";
	if (i->class == CLASS_ONESHOT)
		return "oneshot";
	return i->class == CLASS_KEEPS ? "keeps" : "unproven";
}

int
vyx_pool_inst_up(const struct vyx_pinst *i)
{
	return vyx_pinst_usable(i) && !i->down;
}

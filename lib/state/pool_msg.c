/* SPDX-License-Identifier: ISC */
/* pool_msg - between the typed messages of the edge and its records. */
#include "state/pool_msg.h"

#include <errno.h>

static const char *const why_names[VYX_POOL_WHY_COUNT] = {
#define WHY(id, word, means) word,
	VYX_POOL_WHYS(WHY)
#undef WHY
};

const char *
vyx_pool_why_name(enum vyx_pool_why why)
{
	return why_names[why];
}

static int
read_why(struct vyx_pool_msg *m, const struct vyx_rec *r)
{
	struct vyx_str word = vyx_rec_str(r, VYX_F_WHY);
	unsigned i;

	for (i = 0; i < VYX_POOL_WHY_COUNT; i++)
		if (vyx_str_eq(word, VYX_STRZ(why_names[i]))) {
			m->why = (enum vyx_pool_why)i;
			return 1;
		}
	errno = EPROTO;
	return 0;
}

static int
read_role(struct vyx_pool_msg *m, const struct vyx_rec *r)
{
	struct vyx_str word = vyx_rec_str(r, VYX_F_ROLE);

	m->role = VYX_P_NONE;
	if (!vyx_rec_has(r, VYX_F_ROLE)) /* poold's own hello has none */
		return 1;
	if (vyx_str_eq(word, VYX_STR("route")))
		m->role = VYX_P_ROUTE;
	else if (vyx_str_eq(word, VYX_STR("acquire")))
		m->role = VYX_P_ACQUIRE;
	else {
		errno = EPROTO;
		return 0;
	}
	return 1;
}

/* instance:count; an instance may hold colons, so the last one counts. */
static int
read_lack(struct vyx_pool_msg *m, struct vyx_str v)
{
	struct vyx_pool_lack *l = &m->lack[m->lacks];
	const char *colon = memrchr(v.p, ':', v.n);
	uint64_t n;

	if (m->lacks == VYX_POOL_LACKS || !colon || colon == v.p)
		goto bad;
	l->i = (struct vyx_str){ v.p, (size_t)(colon - v.p) };
	v = (struct vyx_str){ colon + 1, v.n - l->i.n - 1 };
	if (l->i.n > VYX_POOL_I || !vyx_dec_scan(v, UINT16_MAX, &n))
		goto bad;
	l->n = (uint32_t)n;
	m->lacks++;
	return 1;
bad:
	errno = EPROTO;
	return 0;
}

static int
read_lacks(struct vyx_pool_msg *m, const struct vyx_rec *r)
{
	unsigned k = 0;

	m->lacks = 0;
	while ((k = vyx_rec_next(r, VYX_F_LACK, k)) < r->n)
		if (!read_lack(m, r->f[k++].v))
			return 0;
	return 1;
}

int
vyx_pool_msg_read(struct vyx_pool_msg *m, const struct vyx_rec *r)
{
	m->verb = r->verb;
	m->state = vyx_rec_state(r);
	m->proto = (uint32_t)vyx_rec_u(r, VYX_F_PROTO);
	m->pid = (uint32_t)vyx_rec_u(r, VYX_F_PID);
	m->n = (uint32_t)vyx_rec_u(r, VYX_F_N);
	m->waiting = (uint32_t)vyx_rec_u(r, VYX_F_WAITING);
	m->low = (uint32_t)vyx_rec_u(r, VYX_F_LOW);
	m->tunnels = (uint32_t)vyx_rec_u(r, VYX_F_TUNNELS);
	m->idle_ms = vyx_rec_u(r, VYX_F_IDLE_MS);
	m->c = vyx_rec_u(r, VYX_F_C);
	m->since = vyx_rec_u(r, VYX_F_SINCE);
	m->before = vyx_rec_u(r, VYX_F_BEFORE);
	m->below = vyx_rec_u(r, VYX_F_BELOW);
	m->up = vyx_rec_u(r, VYX_F_UP) != 0;
	m->keeps = vyx_rec_u(r, VYX_F_KEEPS) != 0;
	m->byte = vyx_rec_u(r, VYX_F_BYTE) != 0;
	m->name = vyx_rec_str(r, VYX_F_NAME);
	m->w = vyx_rec_str(r, VYX_F_W);
	m->i = vyx_rec_str(r, VYX_F_I);
	m->to = vyx_rec_str(r, VYX_F_TO);
	if (m->verb == VYX_V_HOLD && m->state != VYX_S_IDLE &&
	    m->state != VYX_S_BUSY && m->state != VYX_S_TUNNEL) {
		errno = EPROTO;
		return 0;
	}
	return read_role(m, r) && read_lacks(m, r) &&
	    (m->verb != VYX_V_DROP || read_why(m, r));
}

static void
put_lacks(struct vyx_rec_out *o, const struct vyx_pool_msg *m)
{
	char v[VYX_POOL_I + 1 + VYX_DEC];
	unsigned k;
	size_t n;

	for (k = 0; k < m->lacks; k++) {
		n = m->lack[k].i.n;
		memcpy(v, m->lack[k].i.p, n);
		v[n++] = ':';
		n += vyx_dec_fmt(v + n, m->lack[k].n);
		vyx_rec_puts(o, VYX_F_LACK, (struct vyx_str){ v, n });
	}
}

static void
put_hello(struct vyx_rec_out *o, const struct vyx_pool_msg *m)
{
	vyx_rec_putu(o, VYX_F_PROTO, m->proto);
	if (m->role != VYX_P_NONE) {
		vyx_rec_putz(o, VYX_F_ROLE,
		    m->role == VYX_P_ROUTE ? "route" : "acquire");
		vyx_rec_putu(o, VYX_F_PID, m->pid);
	}
	vyx_rec_puts(o, VYX_F_NAME, m->name);
}

static void
put_window(struct vyx_rec_out *o, const struct vyx_pool_msg *m)
{
	vyx_rec_puts(o, VYX_F_W, m->w);
	vyx_rec_putu(o, VYX_F_UP, m->up);
	vyx_rec_putu(o, VYX_F_LOW, m->low);
	vyx_rec_putu(o, VYX_F_IDLE_MS, m->idle_ms);
	vyx_rec_putu(o, VYX_F_TUNNELS, m->tunnels);
}

/* The verbs that name a connection. */
static void
put_conn(struct vyx_rec_out *o, const struct vyx_pool_msg *m)
{
	vyx_rec_putu(o, VYX_F_C, m->c);
	if (m->verb == VYX_V_HOLD || m->verb == VYX_V_CONN)
		vyx_rec_puts(o, VYX_F_I, m->i);
	if (m->verb == VYX_V_CONN)
		vyx_rec_puts(o, VYX_F_W, m->w);
	else if (m->verb == VYX_V_HOLD)
		vyx_rec_putz(o, VYX_F_STATE, vyx_rec_state_name(m->state));
	else if (m->verb == VYX_V_DROP)
		vyx_rec_putz(o, VYX_F_WHY, why_names[m->why]);
	else if (m->verb == VYX_V_STUCK)
		vyx_rec_putu(o, VYX_F_BYTE, m->byte);
	else if (m->verb == VYX_V_MOVED)
		vyx_rec_puts(o, VYX_F_TO, m->to);
}

int
vyx_pool_msg_write(const struct vyx_pool_msg *m, struct vyx_buf *b)
{
	struct vyx_rec_out o = vyx_rec_begin(b, m->verb);

	if (m->verb == VYX_V_HELLO)
		put_hello(&o, m);
	else if (m->verb == VYX_V_WINDOW)
		put_window(&o, m);
	else if (m->verb == VYX_V_HELD)
		vyx_rec_putu(&o, VYX_F_N, m->n);
	else if (m->verb == VYX_V_NEED) {
		vyx_rec_puts(&o, VYX_F_W, m->w);
		vyx_rec_putu(&o, VYX_F_WAITING, m->waiting);
		vyx_rec_putu(&o, VYX_F_SINCE, m->since);
		put_lacks(&o, m);
	} else if (m->verb == VYX_V_RECALL) {
		vyx_rec_puts(&o, VYX_F_W, m->w);
		vyx_rec_putu(&o, VYX_F_N, m->n);
		vyx_rec_putu(&o, VYX_F_BEFORE, m->before);
	} else if (m->verb == VYX_V_SAYS || m->verb == VYX_V_VOID) {
		vyx_rec_puts(&o, VYX_F_I, m->i);
		if (m->verb == VYX_V_SAYS)
			vyx_rec_putu(&o, VYX_F_KEEPS, m->keeps);
		else
			vyx_rec_putu(&o, VYX_F_BELOW, m->below);
	} else if (m->verb != VYX_V_BYE)
		put_conn(&o, m);
	return vyx_rec_end(&o);
}

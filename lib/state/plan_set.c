/* SPDX-License-Identifier: ISC */
/* plan_set - the settings: those that hold, and those of the next commit. */
#include "state/plan_int.h"

#define D UINT64_C(1000000)
#define B UINT64_C(1)
#define N UINT64_C(1)

static void
text(struct vyx_plan *p, struct vyx_buf *b, struct vyx_str s)
{
	if (!vyx_buf_room(b, s.n)) {
		vyx_plan_note(p, s, "out of memory: a setting is as it was", 1);
		return;
	}
	b->n = 0;
	vyx_buf_putstr(b, s);
}

void
vyx_plan_set_put(struct vyx_plan *p, struct vyx_str key, struct vyx_str value)
{
	uint64_t u;

	p->changed = 1;
#define X(member, name, init)               \
	if (vyx_str_eq(key, VYX_STR(name))) \
		text(p, &p->text_coming.member, value);
	VYX_PLAN_TEXTS(X)
#undef X
	/* half of what fits, so that a time and now can be added */
	if (!vyx_dec_scan(value, INT64_MAX / D, &u))
		return;
#define X(member, unit, name, init)         \
	if (vyx_str_eq(key, VYX_STR(name))) \
		p->coming.member = u * unit;
	VYX_PLAN_SETTINGS(X)
#undef X
}

void
vyx_plan_set_gone(struct vyx_plan *p, struct vyx_str key)
{
	p->changed = 1;
#define X(member, unit, name, init)                   \
	if (!key.n || vyx_str_eq(key, VYX_STR(name))) \
		p->coming.member = init * unit;
	VYX_PLAN_SETTINGS(X)
#undef X
#define X(member, name, init)                         \
	if (!key.n || vyx_str_eq(key, VYX_STR(name))) \
		text(p, &p->text_coming.member, VYX_STR(init));
	VYX_PLAN_TEXTS(X)
#undef X
}

/* All of them or none: without memory for an issuer anybody would be one. */
int
vyx_plan_set_commit(struct vyx_plan *p)
{
	int ok = 1;

	if (!p->changed)
		return 1;
	p->changes++; /* texts may move even if they stay as they are */
#define X(member, name, init) \
	ok &= vyx_buf_room(&p->text.member, p->text_coming.member.n);
	VYX_PLAN_TEXTS(X)
#undef X
	if (!ok)
		return 0;
	p->set = p->coming;
#define X(member, name, init) \
	p->text.member.n = 0; \
	vyx_buf_putstr(&p->text.member, vyx_buf_str(&p->text_coming.member));
	VYX_PLAN_TEXTS(X)
#undef X
	p->changed = 0;
	return 1;
}

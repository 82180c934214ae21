/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/policy.h"
#include "wire/http1.h"

/*
 * Line by line: limits, policy, a role, then the lines of headers. What is
 * read says no more than what was written: each rule has a name, each line
 * that is added is one line, and none was passed over.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

static void
put(struct vyx_rec *r, enum vyx_field id, struct vyx_str v)
{
	if (!v.n)
		return;
	r->f[r->n].id = id;
	r->f[r->n].v = v;
	r->at[id] = (unsigned char)++r->n;
}

/* Lines that go out as they are. */
static size_t
added(struct vyx_str s)
{
	size_t count = 0;

	for (; s.n; count++) {
		struct vyx_str line = vyx_str_cut(&s, '\n'), name;

		CHECK(s.p && line.n && line.p[line.n - 1] == '\r');
		line.n--;
		name = vyx_str_cut(&line, ':');
		CHECK(line.p && vyx_http1_token(name) && vyx_http1_value(line));
	}
	return count;
}

static size_t
rules(const struct vyx_forward_rules *r)
{
	CHECK(added(r->lines) <= r->n_drop);
	for (size_t i = 0; i < r->n_drop; i++)
		CHECK(vyx_http1_token(r->drop[i]));
	return r->n_drop;
}

static size_t
lines_of(struct vyx_str s)
{
	size_t count = 0;

	for (; s.n; count++)
		vyx_str_cut(&s, '\n');
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str rest = { (const char *)data, n };
	struct vyx_rec r = { 0 };
	struct vyx_policy *p;
	const char *why = NULL;

	put(&r, VYX_F_LIMITS, vyx_str_cut(&rest, '\n'));
	put(&r, VYX_F_POLICY, rest.p ? vyx_str_cut(&rest, '\n') : rest);
	put(&r, VYX_F_ROLE, rest.p ? vyx_str_cut(&rest, '\n') : rest);
	put(&r, VYX_F_HEADERS, rest);
	p = vyx_policy_new(&r, &why);
	if (!p) {
		CHECK(why);
		return 0;
	}
	CHECK(p->none == vyx_rec_has(&r, VYX_F_POLICY));
	CHECK(p->n_roles == (size_t)vyx_rec_has(&r, VYX_F_ROLE));
	CHECK(rules(&p->request) + rules(&p->answer) == lines_of(rest));
	vyx_policy_left(p);
	return 0;
}

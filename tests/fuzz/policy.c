/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/policy.h"

/*
 * A row of any columns, parted by 0xff: key, validate, policy, limits,
 * headers, roles. It is taken when it is what lib/state/policy.h says, and
 * then holds that; whatever is added to a head leaves it a head.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

static const enum vyx_field column[] = { VYX_F_KEY, VYX_F_VALIDATE,
	VYX_F_POLICY, VYX_F_LIMITS, VYX_F_HEADERS };

static struct vyx_rec row;

static void
columns(struct vyx_str all)
{
	memset(&row, 0, sizeof row);
	while (all.p && row.n < VYX_REC_FIELDS) {
		enum vyx_field id =
		    row.n < VYX_COUNT(column) ? column[row.n] : VYX_F_ROLE;

		row.f[row.n++] = (struct vyx_rec_field){ id,
			vyx_str_cut(&all, (char)0xff), 0 };
		if (!row.at[id])
			row.at[id] = (unsigned char)row.n;
	}
}

/* A line of headers: 0 refused, else what goes behind `q` or `a` in *name. */
static int
line_ok(struct vyx_str s, struct vyx_str *name)
{
	struct vyx_str value;

	if (s.n < 3 || (s.p[0] != 'q' && s.p[0] != 'a') || s.p[2] != ' ')
		return 0;
	value = *name = (struct vyx_str){ s.p + 3, s.n - 3 };
	if (s.p[1] == '-')
		return vyx_http1_token(*name);
	*name = vyx_str_cut(&value, ':');
	return s.p[1] == '+' && value.p && vyx_http1_token(*name) &&
	    vyx_http1_value(value) && vyx_forward_may(*name);
}

/* Whether the headers can be read; else each name must be there, in order. */
static int
headers(struct vyx_str all, const struct vyx_policy *p)
{
	size_t q = 0, a = 0;

	while (all.n) {
		struct vyx_str line = vyx_str_cut(&all, '\n'), name;
		const struct vyx_forward_rules *r;
		size_t *i = line.n && *line.p == 'q' ? &q : &a;

		if (!line_ok(line, &name) || q + a == VYX_POLICY_LINES)
			return 0;
		r = !p ? NULL : i == &q ? &p->request : &p->answer;
		CHECK(!r || (*i < r->n_drop && vyx_str_eq(r->drop[*i], name)));
		++*i;
	}
	CHECK(!p || (q == p->request.n_drop && a == p->answer.n_drop));
	return 1;
}

/* Whether a word of limits can be read; `may` others, SAME is a number. */
static int
limits(struct vyx_str all)
{
	const struct {
		struct vyx_str name;
		uint64_t max;
		int off;
	} known[] = { { VYX_STR("payload"), INT64_MAX, 0 },
		{ VYX_STR("timeout-ms"), INT32_MAX, 0 },
		{ VYX_STR("per-ip"), UINT32_MAX, 1 },
		{ VYX_STR("per-token"), UINT32_MAX, 1 } };

	while (all.n) {
		struct vyx_str v = vyx_str_cut(&all, ' ');
		struct vyx_str name = vyx_str_cut(&v, '=');
		size_t i = 0;
		uint64_t u;

		while (i < VYX_COUNT(known) && !vyx_str_eq(known[i].name, name))
			i++;
		if (i == VYX_COUNT(known) || !v.p ||
		    (!vyx_dec_scan(v, known[i].max, &u) &&
		        !(known[i].off && vyx_str_eq(v, VYX_STR("off")))))
			return 0;
	}
	return 1;
}

/* The lines added are whole fields of a head, and nothing more. */
static void
check_lines(const struct vyx_forward_rules *r)
{
	static struct vyx_http1 h;
	struct vyx_str left = r->lines;
	uint32_t n = 0;
	char *head = malloc(r->lines.n + 2);

	for (; left.n; n++)
		(void)vyx_str_cut(&left, '\n');
	CHECK(n <= r->n_drop);
	if (r->lines.n)
		memcpy(head, r->lines.p, r->lines.n);
	memcpy(head + r->lines.n, "\r\n", 2);
	vyx_http1_start(&h, VYX_HTTP1_TRAILER,
	    &(struct vyx_http1_limits){ VYX_HTTP1_HEAD_MAX, 8192, 128 });
	CHECK(vyx_http1_parse(&h, head, r->lines.n + 2) == VYX_HTTP1_DONE);
	CHECK(h.len == r->lines.n + 2 && h.nfield == n);
	free(head);
}

static void
check(const struct vyx_policy *p)
{
	unsigned i = vyx_rec_next(&row, VYX_F_ROLE, 0);

	CHECK(p->refs == 1 && p->breaker.state == VYX_BREAKER_CLOSED);
	CHECK(vyx_str_eq(p->key, vyx_rec_str(&row, VYX_F_KEY)));
	CHECK(vyx_str_eq(p->validate, vyx_rec_str(&row, VYX_F_VALIDATE)));
	for (size_t k = 0; k < p->n_roles; k++, i++)
		CHECK(vyx_str_eq(p->role[k], row.f[i].v));
	CHECK(i == row.n);
	CHECK(p->payload_max <= INT64_MAX || p->payload_max == VYX_POLICY_SAME);
	CHECK(p->timeout <= INT32_MAX * UINT64_C(1000000) ||
	    p->timeout == VYX_POLICY_SAME);
	CHECK(p->per_ip <= UINT32_MAX || p->per_ip >= VYX_POLICY_OFF);
	CHECK(p->per_token <= UINT32_MAX || p->per_token >= VYX_POLICY_OFF);
	check_lines(&p->request);
	check_lines(&p->answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy that ends where the bytes do, and is gone before the check */
	char *copy = malloc(size + 1);
	struct vyx_policy *p;
	const char *why;
	struct vyx_str policy;
	int ok;

	memcpy(copy, data, size);
	columns((struct vyx_str){ copy, size });
	p = vyx_policy_new(&row, &why);
	free(copy);
	columns((struct vyx_str){ (const char *)data, size });
	policy = vyx_rec_str(&row, VYX_F_POLICY);
	ok = (!policy.n || vyx_str_eq(policy, VYX_STR("none"))) &&
	    limits(vyx_rec_str(&row, VYX_F_LIMITS)) &&
	    headers(vyx_rec_str(&row, VYX_F_HEADERS), p);
	CHECK(!p == !ok);
	if (p)
		check(p);
	else
		CHECK(why && *why);
	vyx_policy_left(p);
	return 0;
}

/* SPDX-License-Identifier: ISC */
#include "state/policy.h"

#include <stdlib.h>

/* Texts are copied behind the struct: `at` is where the next one goes. */
struct build {
	struct vyx_policy *p;
	char *at;
	const char *why;
};

static struct vyx_str
keep(struct build *b, struct vyx_str s)
{
	struct vyx_str kept = { b->at, s.n };

	if (s.n)
		memcpy(b->at, s.p, s.n);
	b->at += s.n;
	return kept;
}

/* ---- limits ----------------------------------------------------------- */

static int
number(struct vyx_str s, uint64_t max, uint64_t unit, uint64_t *into)
{
	uint64_t u;

	if (!vyx_dec_scan(s, max, &u))
		return 0;
	*into = u * unit;
	return 1;
}

static int
rate(struct vyx_str s, uint64_t *into)
{
	if (vyx_str_eq(s, VYX_STR("off"))) {
		*into = VYX_POLICY_OFF;
		return 1;
	}
	return number(s, UINT32_MAX, 1, into);
}

static int
limit(struct vyx_policy *p, struct vyx_str word)
{
	struct vyx_str name = vyx_str_cut(&word, '=');

	if (!word.p)
		return 0;
	if (vyx_str_eq(name, VYX_STR("payload")))
		return number(word, INT64_MAX, 1, &p->payload_max);
	if (vyx_str_eq(name, VYX_STR("timeout-ms")))
		return number(word, INT32_MAX, 1000000, &p->timeout);
	if (vyx_str_eq(name, VYX_STR("per-ip")))
		return rate(word, &p->per_ip);
	if (vyx_str_eq(name, VYX_STR("per-token")))
		return rate(word, &p->per_token);
	return 0;
}

static int
limits(struct build *b, struct vyx_str s)
{
	while (s.n) {
		struct vyx_str word = vyx_str_cut(&s, ' ');

		if (!limit(b->p, word)) {
			b->why = "limits cannot be read";
			return 0;
		}
	}
	return 1;
}

/* ---- headers ---------------------------------------------------------- */

/* One side's lines: `side` is q or a; names go to drop[], which has room. */
static int
headers(struct build *b, struct vyx_str s, char side,
    struct vyx_forward_rules *r, struct vyx_str *drop)
{
	char *start;

	r->drop = drop;
	for (struct vyx_str left = s; left.n;) {
		struct vyx_str line = vyx_str_cut(&left, '\n'), name;

		if (line.n < 4 || line.p[2] != ' ' ||
		    (line.p[0] != 'q' && line.p[0] != 'a') ||
		    (line.p[1] != '+' && line.p[1] != '-'))
			return 0;
		if (line.p[0] != side)
			continue;
		name = (struct vyx_str){ line.p + 3, line.n - 3 };
		if (line.p[1] == '+') {
			struct vyx_str value = name;

			name = vyx_str_cut(&value, ':');
			if (!value.p || !vyx_http1_value(value) ||
			    !vyx_forward_may(name))
				return 0;
		}
		if (!vyx_http1_token(name))
			return 0;
		drop[r->n_drop++] = keep(b, name);
	}
	start = b->at;
	for (struct vyx_str left = s; left.n;) {
		struct vyx_str line = vyx_str_cut(&left, '\n');

		if (line.p[0] != side || line.p[1] != '+')
			continue;
		keep(b, (struct vyx_str){ line.p + 3, line.n - 3 });
		keep(b, VYX_STR("\r\n"));
	}
	r->lines = (struct vyx_str){ start, (size_t)(b->at - start) };
	return 1;
}

static size_t
lines(struct vyx_str s)
{
	size_t n = s.n && s.p[s.n - 1] != '\n';

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* ---- all of it -------------------------------------------------------- */

static int
fill(struct build *b, const struct vyx_rec *row, struct vyx_str *texts)
{
	struct vyx_policy *p = b->p;
	struct vyx_str policy = vyx_rec_str(row, VYX_F_POLICY),
	               rules = vyx_rec_str(row, VYX_F_HEADERS);

	p->key = keep(b, vyx_rec_str(row, VYX_F_KEY));
	p->validate = keep(b, vyx_rec_str(row, VYX_F_VALIDATE));
	p->role = texts;
	for (unsigned i = vyx_rec_next(row, VYX_F_ROLE, 0); i < row->n;
	     i = vyx_rec_next(row, VYX_F_ROLE, i + 1))
		texts[p->n_roles++] = keep(b, row->f[i].v);
	texts += p->n_roles;
	if (policy.n && !vyx_str_eq(policy, VYX_STR("none"))) {
		b->why = "policy is none, or not there";
		return 0;
	}
	p->none = policy.n > 0;
	if (!limits(b, vyx_rec_str(row, VYX_F_LIMITS)))
		return 0;
	if (!headers(b, rules, 'q', &p->request, texts) ||
	    !headers(b, rules, 'a', &p->answer, texts + p->request.n_drop)) {
		b->why = "headers cannot be read";
		return 0;
	}
	return 1;
}

struct vyx_policy *
vyx_policy_new(const struct vyx_rec *row, const char **why)
{
	struct vyx_str rules = vyx_rec_str(row, VYX_F_HEADERS);
	size_t n = lines(rules), texts = n + VYX_REC_FIELDS,
	       room = vyx_rec_str(row, VYX_F_KEY).n +
	    vyx_rec_str(row, VYX_F_VALIDATE).n + 2 * rules.n + 2 * n;
	struct build b = { .why = "out of memory" };

	*why = b.why;
	if (n > VYX_POLICY_LINES) {
		*why = "headers has too many lines";
		return NULL;
	}
	for (unsigned i = vyx_rec_next(row, VYX_F_ROLE, 0); i < row->n;
	     i = vyx_rec_next(row, VYX_F_ROLE, i + 1))
		room += row->f[i].v.n;
	b.p = calloc(1, sizeof *b.p + texts * sizeof(struct vyx_str) + room);
	if (!b.p)
		return NULL;
	b.at = (char *)((struct vyx_str *)(b.p + 1) + texts);
	b.p->refs = 1;
	b.p->payload_max = b.p->timeout = VYX_POLICY_SAME;
	b.p->per_ip = b.p->per_token = VYX_POLICY_SAME;
	if (fill(&b, row, (struct vyx_str *)(b.p + 1)))
		return b.p;
	*why = b.why;
	free(b.p);
	return NULL;
}

struct vyx_policy *
vyx_policy_refusing(struct vyx_str key)
{
	struct vyx_policy *p = calloc(1, sizeof *p + key.n);
	struct build b = { .p = p };

	if (!p)
		return NULL;
	b.at = (char *)(p + 1);
	p->refs = 1;
	p->unusable = 1;
	p->payload_max = p->timeout = VYX_POLICY_SAME;
	p->per_ip = p->per_token = VYX_POLICY_SAME;
	p->key = keep(&b, key);
	return p;
}

void
vyx_policy_left(struct vyx_policy *p)
{
	if (p && !--p->refs)
		free(p);
}

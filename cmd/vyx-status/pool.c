/* SPDX-License-Identifier: ISC */
/* pool - one line a worker of what vyx-poold and the routers say of its
 * connections, added up: where a connection is held does not matter here. */
#include <stdlib.h>

#include "status.h"

/*	  column      daemon, figure of it; further ones are added */
#define SUMS(X)                            \
	X("idle", "pool", "idle-here")     \
	X("idle", "route", "idle")         \
	X("in_use", "route", "busy")       \
	X("in_use", "route", "tunnels")    \
	X("waiting", "route", "waiting")   \
	X("dials", "pool", "dials")        \
	X("reuses", "route", "reuses")     \
	X("stale", "pool", "stale")        \
	X("stale", "route", "stale")       \
	X("timeouts", "route", "timeouts") \
	X("recalls", "pool", "recalls")    \
	X("out", "route", "out")           \
	X("ejected", "route", "ejected")

/* clang-format off */
#define ROW(column, daemon, figure) { column, daemon, figure },
static const struct { const char *column, *daemon, *figure; } rows[] = {
	SUMS(ROW)
};
/* clang-format on */

#define ROWS VYX_COUNT(rows)

static struct sum {
	char w[65];
	uint64_t v[ROWS];
} * sums;
static size_t n_sums;

static struct sum *
sum_of(struct vyx_str w)
{
	struct sum *s;

	for (size_t i = 0; i < n_sums; i++)
		if (vyx_str_eq(VYX_STRZ(sums[i].w), w))
			return &sums[i];
	if (!(s = reallocarray(sums, n_sums + 1, sizeof *s)))
		vyx_die_sys(VYX_SYSTEM, "malloc");
	sums = s;
	s += n_sums++;
	*s = (struct sum){ 0 };
	memcpy(s->w, w.p, w.n < sizeof s->w ? w.n : sizeof s->w - 1);
	return s;
}

void
pool_add(const char *daemon, struct vyx_str name, struct vyx_str w, uint64_t n)
{
	for (size_t i = 0; w.n && i < ROWS; i++)
		if (!strncmp(daemon, rows[i].daemon, strlen(rows[i].daemon)) &&
		    vyx_str_eq(VYX_STRZ(rows[i].figure), name))
			sum_of(w)->v[i] += n;
}

void
pool_lines(struct line *l)
{
	for (size_t i = 0; i < n_sums; i++) {
		line_begin(l, "pool");
		line_word(l, "worker", VYX_STRZ(sums[i].w));
		for (size_t r = 0; r < ROWS;) {
			const char *column = rows[r].column;
			uint64_t n = 0;

			for (; r < ROWS && !strcmp(rows[r].column, column); r++)
				n += sums[i].v[r];
			line_num(l, column, n);
		}
		line_end(l);
	}
	free(sums);
	sums = NULL;
	n_sums = 0;
}

/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_PLAN_INT_H
#define VYX_STATE_PLAN_INT_H

#include "state/plan.h"

/* plan_int - the rows of a plan; for plan.c and plan_table.c alone. */

#define PLAN_BUCKETS 4096

struct row {
	struct row *next;
	enum vyx_table table;
	int flag; /* ROUTE: has roles; ENDPOINT: is up; PROC: its slot */
	struct vyx_plan_worker *worker;
	struct vyx_str key, host, methods, path; /* behind this struct */
};

struct vyx_plan_rows {
	struct row *bucket[PLAN_BUCKETS];
	size_t routes;
};

#endif

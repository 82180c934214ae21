/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_PLAN_INT_H
#define VYX_STATE_PLAN_INT_H

#include "state/plan.h"

/*
 * plan_int - what the files of plan share:
 *
 *	plan.c	      rows, workers
 *	plan_set.c    settings
 *	plan_schema.c schemas
 *	plan_table.c  the routes as a table
 */

#define PLAN_BUCKETS 4096

struct row {
	struct row *next;
	enum vyx_table table;
	int flag;     /* ENDPOINT: is up; PROC: its slot */
	int draining; /* ENDPOINT */
	struct vyx_plan_worker *worker;
	struct vyx_policy *policy;               /* ROUTE */
	struct vyx_str key, host, methods, path; /* behind this struct */
};

struct vyx_plan_rows {
	struct row *bucket[PLAN_BUCKETS];
	size_t routes;
};

void vyx_plan_note(struct vyx_plan *p, struct vyx_str key, const char *why,
    int fatal);

/* An empty key: all of them, back to the defaults. */
void vyx_plan_set_put(struct vyx_plan *p, struct vyx_str key,
    struct vyx_str value);
void vyx_plan_set_gone(struct vyx_plan *p, struct vyx_str key);
/* What has come holds from now on. 0: no memory. */
int vyx_plan_set_commit(struct vyx_plan *p);

void vyx_plan_schema_put(struct vyx_plan *p, struct vyx_str name,
    struct vyx_str text);
void vyx_plan_schema_gone(struct vyx_plan *p, struct vyx_str name);
/* Compile what has come. */
void vyx_plan_schema_commit(struct vyx_plan *p);
/* One of that name, with a reference more; NULL: none. */
struct vyx_plan_schema *vyx_plan_schema_get(const struct vyx_plan *p,
    struct vyx_str name);
void vyx_plan_schema_left(struct vyx_plan_schema *s);

#endif

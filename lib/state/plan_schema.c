/* SPDX-License-Identifier: ISC */
/* plan_schema - the schemas that routes name. */
#include <stdio.h>
#include <stdlib.h>

#include "state/plan_int.h"

#define STEPS 2000000 /* of a check: some tens of ms */

static struct vyx_plan_schema **
find(struct vyx_plan *p, struct vyx_str name)
{
	struct vyx_plan_schema **at = &p->schemas;

	while (*at && !vyx_str_eq((*at)->name, name))
		at = &(*at)->next;
	return at;
}

void
vyx_plan_schema_left(struct vyx_plan_schema *s)
{
	if (!s || --s->refs)
		return;
	vyx_schema_free(s->schema);
	free(s);
}

void
vyx_plan_schema_gone(struct vyx_plan *p, struct vyx_str name)
{
	struct vyx_plan_schema **at = find(p, name), *s = *at;

	if (!s)
		return;
	*at = s->next;
	vyx_plan_schema_left(s);
	p->dirty = 1;
}

/* formats is -1 until it is compiled. */
static struct vyx_plan_schema *
add(struct vyx_plan *p, struct vyx_str name, struct vyx_str text)
{
	struct vyx_plan_schema *s = calloc(1, sizeof *s + name.n + text.n);
	char *room = (char *)(s + 1);

	if (!s) {
		vyx_plan_note(p, name, "out of memory", 1);
		return NULL;
	}
	s->refs = 1;
	s->formats = -1;
	s->name = (struct vyx_str){ room, name.n };
	s->text = (struct vyx_str){ room + name.n, text.n };
	memcpy(room, name.p, name.n);
	memcpy(room + name.n, text.p, text.n);
	s->next = p->schemas;
	p->dirty = 1;
	return p->schemas = s;
}

void
vyx_plan_schema_put(struct vyx_plan *p, struct vyx_str name,
    struct vyx_str text)
{
	vyx_plan_schema_gone(p, name);
	add(p, name, text);
}

static void
compile(struct vyx_plan *p, struct vyx_plan_schema *s)
{
	struct vyx_schema_opt opt = { .format_assert = s->formats,
		.steps = STEPS };
	struct vyx_schema_error err;
	char why[sizeof err.at + sizeof err.why + 2];

	s->schema = vyx_schema_load(s->text, &opt, &err);
	if (s->schema)
		return;
	snprintf(why, sizeof why, "%s: %s", err.at, err.why);
	vyx_plan_note(p, s->name, why, 1);
}

void
vyx_plan_schema_commit(struct vyx_plan *p)
{
	int formats = p->set.schema_formats != 0;

	for (struct vyx_plan_schema **at = &p->schemas; *at;) {
		struct vyx_plan_schema *s = *at;

		at = &s->next;
		if (s->formats == formats)
			continue;
		if (s->formats >= 0) { /* tables in use keep the old one */
			struct vyx_str name = s->name, text = s->text;

			s->refs++;
			vyx_plan_schema_put(p, name, text);
			vyx_plan_schema_left(s);
			at = &p->schemas;
			continue;
		}
		s->formats = formats;
		compile(p, s);
	}
}

struct vyx_plan_schema *
vyx_plan_schema_get(const struct vyx_plan *p, struct vyx_str name)
{
	struct vyx_plan_schema *s = p->schemas;

	while (s && !vyx_str_eq(s->name, name))
		s = s->next;
	if (s)
		s->refs++;
	return s;
}

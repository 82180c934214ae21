/* SPDX-License-Identifier: ISC */
/* schema_loop - no subschema leads back to itself, by keywords that try the
 * same value again. So a check ends with the document. */
#include "schema_int.h"

static int walk(struct vyx_schema_load *l, struct vyx_schema_node *n,
    unsigned deep);

/* From n to `to` by keyword k, on the same value. */
static int
edge(struct vyx_schema_load *l, struct vyx_schema_node *n,
    const struct vyx_schema_kw *k, struct vyx_schema_node *to, unsigned deep)
{
	const char *word = vyx_schema_words[k->id].name;

	if (to->walked == 1)
		return vyx_schema_bad(l, n, word,
		    "leads back to itself without a step into the document");
	if (deep == VYX_SCHEMA_DEPTH)
		return vyx_schema_bad(l, n, word,
		    "more than %d subschemas for one value", VYX_SCHEMA_DEPTH);
	if (!walk(l, to, deep + 1))
		return 0;
	if (n->tall <= to->tall)
		n->tall = to->tall + 1;
	if (n->tall > VYX_SCHEMA_DEPTH)
		return vyx_schema_bad(l, n, word,
		    "more than %d subschemas for one value", VYX_SCHEMA_DEPTH);
	return 1;
}

/* A $dynamicRef may go to any anchor of its name. */
static int
dynamic(struct vyx_schema_load *l, struct vyx_schema_node *n,
    const struct vyx_schema_kw *k, unsigned deep)
{
	struct vyx_schema_resource *res = l->s->resources;
	struct vyx_schema_node *to;

	for (; res; res = res->next)
		if ((to = vyx_schema_dynamic(res, k->dynamic)) != NULL &&
		    !edge(l, n, k, to, deep))
			return 0;
	return 1;
}

static int
walk(struct vyx_schema_load *l, struct vyx_schema_node *n, unsigned deep)
{
	if (n->walked)
		return 1;
	n->walked = 1;
	for (size_t i = 0; i < n->n; i++) {
		const struct vyx_schema_kw *k = &n->kw[i];

		if (k->dynamic && !dynamic(l, n, k, deep))
			return 0;
		for (size_t j = 0; vyx_schema_words[k->id].in && j < k->n; j++)
			if (k->sub[j] && !edge(l, n, k, k->sub[j], deep))
				return 0;
	}
	n->walked = 2;
	return 1;
}

int
vyx_schema_loops(struct vyx_schema_load *l)
{
	for (struct vyx_schema_node *n = l->s->nodes; n; n = n->next)
		if (!walk(l, n, 0))
			return 0;
	return 1;
}

/* SPDX-License-Identifier: ISC */
/* schema_doc - JSON texts as both sides of a check want them. */
#include <stdio.h>

#include "schema_int.h"

/* Whether no value lies deeper than `left`. */
static int
shallow(json_t *j, unsigned left)
{
	const char *key;
	json_t *v;
	size_t i;

	if (!json_is_object(j) && !json_is_array(j))
		return 1;
	if (!left)
		return 0;
	json_array_foreach(j, i, v)
	{
		if (!shallow(v, left - 1))
			return 0;
	}
	json_object_foreach(j, key, v)
	{
		if (!shallow(v, left - 1))
			return 0;
	}
	return 1;
}

json_t *
vyx_schema_json(struct vyx_str text, unsigned deep,
    struct vyx_schema_error *err)
{
	const size_t flags =
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
	const char *p = text.n ? text.p : "";
	char why[256];
	json_error_t e;
	json_t *j = json_loadb(p, text.n, flags, &e);

	*err = (struct vyx_schema_error){ .at = "/" };
	if (!j && json_error_code(&e) == json_error_numeric_overflow)
		j = json_loadb(p, text.n, flags | JSON_DECODE_INT_AS_REAL, &e);
	if (!j) {
		snprintf(err->at, sizeof(err->at), "line %d",
		    e.line > 0 ? e.line : 1);
		/* it may quote the text, with all its bytes */
		snprintf(why, sizeof(why), "not JSON: %s", e.text);
		vyx_schema_cut(err->why, sizeof(err->why), VYX_STRZ(why));
		return NULL;
	}
	if (shallow(j, deep))
		return j;
	json_decref(j);
	snprintf(err->why, sizeof(err->why), "nested more than %u deep", deep);
	return NULL;
}

/* How many values `text` has, or more: what begins one, and what parts two. */
static size_t
values(struct vyx_str text)
{
	size_t n = 1;
	int quoted = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += text.p[i] == '\\';
		else
			n += text.p[i] == ',' || text.p[i] == '[' ||
			    text.p[i] == '{';
	return n;
}

json_t *
vyx_schema_doc(struct vyx_str text, struct vyx_schema_error *err)
{
	if (values(text) > VYX_SCHEMA_VALUES) {
		*err = (struct vyx_schema_error){ .at = "/" };
		snprintf(err->why, sizeof(err->why),
		    "more than %d values, and names of values",
		    VYX_SCHEMA_VALUES);
		return NULL;
	}
	return vyx_schema_json(text, VYX_SCHEMA_DEPTH, err);
}

/* SPDX-License-Identifier: ISC */
/* schema_form - the value of each keyword, read once. */
#include <stdio.h>

#include "schema_int.h"

#define FORM(name)                                            \
	int vyx_schema_form_##name(struct vyx_schema_load *l, \
	    struct vyx_schema_node *n, struct vyx_schema_kw *k)

static int
wrong(struct vyx_schema_load *l, const struct vyx_schema_node *n,
    const struct vyx_schema_kw *k, const char *must)
{
	return vyx_schema_bad(l, n, vyx_schema_words[k->id].name, "must be %s",
	    must);
}

/* A text without NUL, NULL for all else: no member has a name with one. */
static const char *
plain(const json_t *j)
{
	const char *z = json_string_value(j);

	return z && strlen(z) == json_string_length(j) ? z : NULL;
}

FORM(any)
{
	(void)l, (void)n, (void)k;
	return 1;
}

FORM(string)
{
	return json_is_string(k->v) || wrong(l, n, k, "a string");
}

FORM(array)
{
	return json_is_array(k->v) || wrong(l, n, k, "an array");
}

FORM(flag)
{
	return json_is_boolean(k->v) || wrong(l, n, k, "true or false");
}

FORM(number)
{
	return json_is_number(k->v) || wrong(l, n, k, "a number");
}

FORM(above0)
{
	return (json_is_number(k->v) && json_number_value(k->v) > 0) ||
	    wrong(l, n, k, "a number above 0");
}

FORM(count)
{
	double d = json_real_value(k->v);

	if (!json_is_number(k->v) || json_number_value(k->v) < 0 ||
	    !vyx_schema_integral(k->v))
		return wrong(l, n, k, "an integer, 0 or above");
	/* no document has 2^53 of anything */
	if (json_is_real(k->v))
		k->count = d < 0x1p53 ? (uint64_t)d : UINT64_C(1) << 53;
	else
		k->count = (uint64_t)json_integer_value(k->v);
	return 1;
}

FORM(values)
{
	return json_array_size(k->v) > 0 ||
	    wrong(l, n, k, "an array that is not empty");
}

/* An array of different strings. */
static int
is_names(const json_t *v)
{
	size_t n = json_array_size(v);
	int ok = json_is_array(v);
	json_t *seen = json_object();

	for (size_t i = 0; i < n && ok; i++) {
		const char *name = plain(json_array_get(v, i));

		ok = name && seen && !json_object_get(seen, name) &&
		    !json_object_set_new(seen, name, json_true());
	}
	json_decref(seen);
	return ok;
}

FORM(names)
{
	return is_names(k->v) ||
	    wrong(l, n, k, "an array of strings, none twice");
}

FORM(type)
{
	static const char *const names[] = { "null", "boolean", "integer",
		"number", "string", "array", "object" };
	size_t many = json_is_array(k->v) ? json_array_size(k->v) : 1, t;

	for (size_t i = 0; i < many; i++) {
		const char *z =
		    plain(json_is_array(k->v) ? json_array_get(k->v, i) : k->v);

		for (t = 0; z && t < VYX_COUNT(names); t++)
			if (!strcmp(z, names[t]))
				break;
		if (!z || t == VYX_COUNT(names) || k->count >> t & 1)
			return wrong(l, n, k,
			    "null, boolean, integer, number, string, array, "
			    "object, or an array of those, none twice");
		k->count |= UINT64_C(1) << t;
	}
	return k->count || wrong(l, n, k, "an array that is not empty");
}

static int
compile(struct vyx_schema_load *l, const struct vyx_schema_node *n,
    const struct vyx_schema_kw *k, const char *key, struct vyx_str pattern,
    size_t i)
{
	struct vyx_regex_error e = { "no memory", 0 };

	k->re[i] = vyx_regex_compile(pattern, &e);
	if (k->re[i]) {
		l->patterns += vyx_regex_size(k->re[i]);
		return l->patterns <= VYX_SCHEMA_PATTERNS ||
		    vyx_schema_bad(l, n, vyx_schema_words[k->id].name,
		        "the patterns of this schema are too large together");
	}
	return vyx_schema_bad(l, n, vyx_schema_words[k->id].name,
	    "%s%.80s%sbyte %zu of the pattern: %s", key ? "\"" : "",
	    key ? key : "", key ? "\": " : "", e.at, e.why);
}

FORM(pattern)
{
	struct vyx_str z = { json_string_value(k->v),
		json_string_length(k->v) };

	if (!z.p)
		return wrong(l, n, k, "a string");
	k->re = vyx_schema_alloc(l, 2, sizeof(struct vyx_regex *));
	return k->re && compile(l, n, k, NULL, z, 0);
}

FORM(format)
{
	const char *z = plain(k->v);

	if (!z)
		return wrong(l, n, k, "a string");
	if (!l->s->opt.format_assert)
		return 1;
	k->count = vyx_schema_format_find(z);
	return k->count ||
	    vyx_schema_bad(l, n, "format", "the format %.80s is not known", z);
}

FORM(draft)
{
	const char *z = plain(k->v);
	unsigned mark =
	    l->s->draft == VYX_SCHEMA_07 ? VYX_SCHEMA_D7 : VYX_SCHEMA_D2020;

	return (z && vyx_schema_draft_mark(z) == mark) ||
	    vyx_schema_bad(l, n, "$schema", "another draft than the root's");
}

/* What names subschemas: $ref, $id, anchors. */
FORM(ref)
{
	return plain(k->v) || wrong(l, n, k, "a string");
}

static int
room(struct vyx_schema_load *l, struct vyx_schema_kw *k, size_t many)
{
	k->n = many;
	k->sub =
	    vyx_schema_alloc(l, many + 1, sizeof(struct vyx_schema_node *));
	return k->sub != NULL;
}

FORM(one)
{
	if (!room(l, k, 1))
		return 0;
	k->sub[0] = vyx_schema_add(l, n, vyx_schema_words[k->id].name, NULL,
	    SIZE_MAX, k->v);
	return k->sub[0] != NULL;
}

FORM(list)
{
	size_t many = json_array_size(k->v);

	if (!many)
		return wrong(l, n, k, "an array of schemas, not empty");
	if (!room(l, k, many))
		return 0;
	for (size_t i = 0; i < many; i++)
		if ((k->sub[i] =
		            vyx_schema_add(l, n, vyx_schema_words[k->id].name,
		                NULL, i, json_array_get(k->v, i))) == NULL)
			return 0;
	return 1;
}

/* Draft-07 has an array where 2020-12 has prefixItems. An empty one demands
 * nothing. */
FORM(items)
{
	if (l->s->draft != VYX_SCHEMA_07 || !json_is_array(k->v))
		return vyx_schema_form_one(l, n, k);
	return json_array_size(k->v) == 0 || vyx_schema_form_list(l, n, k);
}

FORM(map)
{
	const char *name = vyx_schema_words[k->id].name, *key;
	json_t *v;
	size_t i = 0;

	if (!json_is_object(k->v))
		return wrong(l, n, k, "an object of schemas");
	if (!room(l, k, json_object_size(k->v)))
		return 0;
	json_object_foreach(vyx_schema_loose(k->v), key, v)
	{
		if ((k->sub[i++] = vyx_schema_add(l, n, name, key, SIZE_MAX,
		         v)) == NULL)
			return 0;
	}
	return 1;
}

FORM(patterns)
{
	const char *key;
	json_t *v;
	size_t i = 0;

	if (!vyx_schema_form_map(l, n, k))
		return 0;
	k->re = vyx_schema_alloc(l, k->n + 1, sizeof(struct vyx_regex *));
	if (!k->re)
		return 0;
	json_object_foreach(vyx_schema_loose(k->v), key, v)
	{
		if (!compile(l, n, k, key, VYX_STRZ(key), i++))
			return 0;
	}
	return 1;
}

/* An object whose members are lists of names, or, in `dependencies`, either
 * those or schemas: sub[i] is NULL for a list. */
FORM(deps)
{
	const char *name = vyx_schema_words[k->id].name, *key;
	json_t *v;
	size_t i = 0;

	if (!json_is_object(k->v))
		return wrong(l, n, k, "an object");
	if (!room(l, k, json_object_size(k->v)))
		return 0;
	json_object_foreach(vyx_schema_loose(k->v), key, v)
	{
		if (json_is_array(v) || k->id == VYX_SCHEMA_DEP_REQUIRED) {
			if (!is_names(v))
				return vyx_schema_bad(l, n, name,
				    "\"%.80s\" must be an array of strings, "
				    "none twice",
				    key);
		} else if ((k->sub[i] = vyx_schema_add(l, n, name, key,
		                SIZE_MAX, v)) == NULL)
			return 0;
		i++;
	}
	return 1;
}

/* SPDX-License-Identifier: ISC */
/* schema_part - keywords that try subschemas on members and items. */
#include "schema_int.h"

#define TEST(name)                                                          \
	int vyx_schema_test_##name(struct vyx_schema_run *r,                \
	    const struct vyx_schema_node *n, const struct vyx_schema_kw *k, \
	    const json_t *j, unsigned char *seen)

TEST(props)
{
	const char *key;
	json_t *v;
	size_t i = 0;
	int ok = 1;

	(void)n;
	if (!json_is_object(j) || !vyx_schema_spend(r, k->n))
		return 1;
	json_object_foreach(vyx_schema_loose(k->v), key, v)
	{
		const struct vyx_schema_node *sub = k->sub[i++];
		const json_t *member = json_object_get(j, key);

		if (!member || vyx_schema_try_member(r, sub, member, key))
			continue;
		ok = 0;
		if (vyx_schema_enough(r))
			return 0;
	}
	if (!seen || !vyx_schema_spend(r, json_object_size(j)))
		return ok;
	i = 0;
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		seen[i++] |= json_object_get(k->v, key) != NULL;
	}
	return ok;
}

TEST(patterns)
{
	const char *key;
	json_t *v;
	size_t i = 0;
	int ok = 1;

	(void)n;
	if (!json_is_object(j))
		return 1;
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		for (size_t p = 0; p < k->n && !r->stop; p++) {
			if (!vyx_schema_matches(r, k->re[p], VYX_STRZ(key)))
				continue;
			ok &= vyx_schema_try_member(r, k->sub[p], v, key);
			if (!ok && vyx_schema_enough(r))
				return 0;
			if (seen)
				seen[i] = 1;
		}
		i++;
	}
	return ok;
}

/* Whether properties or patternProperties beside it speak of a member. */
static int
spoken_of(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const char *key)
{
	const struct vyx_schema_kw *k = vyx_schema_find(n, VYX_SCHEMA_PROPS);

	if (k && json_object_get(k->v, key))
		return 1;
	k = vyx_schema_find(n, VYX_SCHEMA_PATTERN_PROPS);
	for (size_t i = 0; k && i < k->n; i++)
		if (vyx_schema_matches(r, k->re[i], VYX_STRZ(key)))
			return 1;
	return 0;
}

TEST(more_props)
{
	const char *key;
	json_t *v;
	size_t i = 0, at;
	int ok = 1;

	if (!json_is_object(j))
		return 1;
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		at = i++;
		if (!vyx_schema_spend(r, 1))
			return 0;
		if (spoken_of(r, n, key))
			continue;
		ok &= vyx_schema_try_member(r, k->sub[0], v, key);
		if (!ok && vyx_schema_enough(r))
			return 0;
		if (seen)
			seen[at] = 1;
	}
	return ok;
}

TEST(prop_names)
{
	const char *key;
	json_t *v, *name;
	int ok = 1;

	(void)n, (void)seen;
	if (!json_is_object(j))
		return 1;
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		name = json_string_nocheck(key);
		if (!name) {
			r->stop = VYX_SCHEMA_MEMORY;
			return 0;
		}
		if (!vyx_schema_try_quietly(r, k->sub[0], name, NULL))
			ok = vyx_schema_say(r, key,
			    "has a name that is not allowed");
		json_decref(name);
		if (!ok && vyx_schema_enough(r))
			return 0;
	}
	return ok;
}

/* Items from..to, each by its own subschema, or all by the first. */
static int
range(struct vyx_schema_run *r, const struct vyx_schema_kw *k, const json_t *j,
    size_t from, size_t to, unsigned char *seen)
{
	int ok = 1;

	for (size_t i = from; i < to; i++) {
		ok &= vyx_schema_try_item(r, k->sub[k->n > 1 ? i : 0],
		    json_array_get(j, i), i);
		if (!ok && vyx_schema_enough(r))
			return 0;
		if (seen)
			seen[i] = 1;
	}
	return ok;
}

TEST(prefix)
{
	size_t many = json_array_size(j);

	(void)n;
	return range(r, k, j, 0, many < k->n ? many : k->n, seen);
}

TEST(items)
{
	const struct vyx_schema_kw *p = vyx_schema_find(n, VYX_SCHEMA_PREFIX);

	if (json_is_array(k->v))
		return vyx_schema_test_prefix(r, n, k, j, seen);
	return range(r, k, j, p ? p->n : 0, json_array_size(j), seen);
}

TEST(more_items)
{
	const struct vyx_schema_kw *p = vyx_schema_find(n, VYX_SCHEMA_ITEMS);

	if (!p || !json_is_array(p->v))
		return 1;
	return range(r, k, j, p->n, json_array_size(j), seen);
}

TEST(contains)
{
	const struct vyx_schema_kw *least, *most;
	uint64_t min, max, many = 0;

	if (!json_is_array(j))
		return 1;
	least = vyx_schema_find(n, VYX_SCHEMA_MIN_CONTAINS);
	most = vyx_schema_find(n, VYX_SCHEMA_MAX_CONTAINS);
	min = least ? least->count : 1;
	max = most ? most->count : UINT64_MAX;
	for (size_t i = 0; i < json_array_size(j) && !r->stop; i++) {
		if (!seen && !most && many >= min)
			break;
		if (!vyx_schema_try_quietly(r, k->sub[0], json_array_get(j, i),
		        NULL))
			continue;
		many++;
		if (seen)
			seen[i] = 1;
	}
	if (many < min)
		return vyx_schema_say(r, NULL,
		    "must contain at least %ju item%s of the form asked for",
		    (uintmax_t)min, min == 1 ? "" : "s");
	return many <= max ||
	    vyx_schema_say(r, NULL,
	        "must contain at most %ju item%s of the form asked for",
	        (uintmax_t)max, max == 1 ? "" : "s");
}

/* unevaluatedItems and unevaluatedProperties; `seen` is always there. */
TEST(left)
{
	const char *key;
	json_t *v;
	size_t i;
	int ok = 1;

	(void)n;
	if (json_is_array(j) && k->id == VYX_SCHEMA_MORE_LEFT)
		for (i = 0; i < json_array_size(j); i++) {
			ok &= seen[i] ||
			    vyx_schema_try_item(r, k->sub[0],
			        json_array_get(j, i), i);
			if (!ok && vyx_schema_enough(r))
				return 0;
			seen[i] = 1;
		}
	if (!json_is_object(j) || k->id != VYX_SCHEMA_PROPS_LEFT)
		return ok;
	i = 0;
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		ok &= seen[i] || vyx_schema_try_member(r, k->sub[0], v, key);
		if (!ok && vyx_schema_enough(r))
			return 0;
		seen[i++] = 1;
	}
	return ok;
}

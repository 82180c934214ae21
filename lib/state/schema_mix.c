/* SPDX-License-Identifier: ISC */
/* schema_mix - keywords that try other subschemas on the same value. */
#include "schema_int.h"

#define TEST(name)                                                          \
	int vyx_schema_test_##name(struct vyx_schema_run *r,                \
	    const struct vyx_schema_node *n, const struct vyx_schema_kw *k, \
	    const json_t *j, unsigned char *seen)

TEST(ref)
{
	(void)n;
	return vyx_schema_try(r, k->sub[0], j, seen);
}

/* The outermost resource on the way here that has the anchor (Core 8.2.3.2). */
TEST(dynref)
{
	const struct vyx_schema_node *to = k->sub[0], *found;
	const struct vyx_schema_scope *scope = k->dynamic ? r->scope : NULL;

	(void)n;
	for (; scope && vyx_schema_spend(r, 1); scope = scope->up)
		if ((found = vyx_schema_dynamic(scope->res, k->dynamic)) !=
		    NULL)
			to = found;
	return vyx_schema_try(r, to, j, seen);
}

TEST(all_of)
{
	int ok = 1;

	(void)n;
	for (size_t i = 0; i < k->n; i++)
		if (!vyx_schema_try(r, k->sub[i], j, seen)) {
			ok = 0;
			if (vyx_schema_enough(r))
				break;
		}
	return ok;
}

TEST(any_of)
{
	int ok = 0;

	(void)n;
	/* all are tried when somebody asks what they have seen */
	for (size_t i = 0; i < k->n && (!ok || seen) && !r->stop; i++)
		ok |= vyx_schema_try_quietly(r, k->sub[i], j, seen);
	return ok || vyx_schema_say(r, NULL, "has none of the forms allowed");
}

TEST(one_of)
{
	size_t many = 0;

	(void)n;
	for (size_t i = 0; i < k->n && many < 2 && !r->stop; i++)
		many += (size_t)vyx_schema_try_quietly(r, k->sub[i], j, seen);
	if (many == 1)
		return 1;
	return vyx_schema_say(r, NULL,
	    many ? "has more than one of the forms allowed"
	         : "has none of the forms allowed");
}

TEST(not )
{
	(void)n, (void)seen;
	return !vyx_schema_try_quietly(r, k->sub[0], j, NULL) ||
	    vyx_schema_say(r, NULL, "has a form that is not allowed");
}

TEST(if)
{
	int ok = vyx_schema_try_quietly(r, k->sub[0], j, seen);

	k = vyx_schema_find(n, ok ? VYX_SCHEMA_THEN : VYX_SCHEMA_ELSE);
	return !k || vyx_schema_try(r, k->sub[0], j, seen);
}

/* dependentRequired, dependentSchemas and draft-07's mix of them. */
TEST(deps)
{
	const char *key;
	json_t *v;
	size_t i = 0, at = 0;
	int ok = 1;

	(void)n;
	if (!json_is_object(j) || !vyx_schema_spend(r, k->n))
		return 1;
	json_object_foreach(vyx_schema_loose(k->v), key, v)
	{
		const struct vyx_schema_node *sub = k->sub[at++];
		json_t *name;

		if (!json_object_get(j, key))
			continue;
		if (sub)
			ok &= vyx_schema_try(r, sub, j, seen);
		else
			json_array_foreach(v, i, name)
			{
				const char *z = json_string_value(name);

				if (vyx_schema_spend(r, 1) &&
				    json_object_get(j, z))
					continue;
				ok = vyx_schema_say(r, z,
				    "is required beside \"%.120s\"", key);
			}
		if (!ok && vyx_schema_enough(r))
			break;
	}
	return ok;
}

/* SPDX-License-Identifier: ISC */
/* schema_value - keywords about a value as it is. */
#include <stdio.h>
#include <stdlib.h>

#include "schema_int.h"

#define TEST(name)                                                          \
	int vyx_schema_test_##name(struct vyx_schema_run *r,                \
	    const struct vyx_schema_node *n, const struct vyx_schema_kw *k, \
	    const json_t *j, unsigned char *seen)

/* In the order of FORM(type). */
static const char *const types[] = { "null", "true or false", "an integer",
	"a number", "a string", "an array", "an object" };

static uint64_t
type_bits(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_NULL:
		return 1;
	case JSON_TRUE:
	case JSON_FALSE:
		return 2;
	case JSON_STRING:
		return 16;
	case JSON_ARRAY:
		return 32;
	case JSON_OBJECT:
		return 64;
	default:
		return vyx_schema_integral(j) ? 4 | 8 : 8;
	}
}

TEST(type)
{
	char list[128] = "";
	size_t at = 0, left = 0;

	(void)n, (void)seen;
	if (k->count & type_bits(j))
		return 1;
	for (size_t i = 0; i < VYX_COUNT(types); i++)
		left += k->count >> i & 1;
	for (size_t i = VYX_COUNT(types); i-- > 0 && left;)
		if (k->count >> i & 1) {
			left--;
			at += (size_t)snprintf(list + at, sizeof(list) - at,
			    "%s%s", types[i],
			    !left           ? ""
			        : left == 1 ? " or "
			                    : ", ");
		}
	return vyx_schema_say(r, NULL, "must be %s", list);
}

/* Whether two values are equal; what takes too long is not. */
static int
equal(struct vyx_schema_run *r, const json_t *a, const json_t *b)
{
	int got = vyx_schema_equal(a, b, &r->steps);

	if (got < 0)
		r->stop = VYX_SCHEMA_SPENT;
	return got == 1;
}

TEST(enum)
{
	char buf[VYX_SCHEMA_SHORT];

	(void)n, (void)seen;
	for (size_t i = 0; i < json_array_size(k->v) && !r->stop; i++)
		if (equal(r, json_array_get(k->v, i), j))
			return 1;
	if (vyx_schema_enough(r))
		return 0;
	return vyx_schema_say(r, NULL, "must be one of %s",
	    vyx_schema_short(k->v, buf));
}

TEST(const)
{
	char buf[VYX_SCHEMA_SHORT];

	(void)n, (void)seen;
	if (equal(r, k->v, j))
		return 1;
	if (vyx_schema_enough(r))
		return 0;
	return vyx_schema_say(r, NULL, "must be %s%s%s",
	    json_is_array(k->v) ? "[" : "", vyx_schema_short(k->v, buf),
	    json_is_array(k->v) ? "]" : "");
}

TEST(multiple)
{
	char buf[VYX_SCHEMA_SHORT];

	(void)n, (void)seen;
	/* one of 16 digits and more goes by way of its text */
	if (json_is_real(j) && !vyx_schema_spend(r, 64))
		return 0;
	return !json_is_number(j) || vyx_schema_multiple(j, k->v) ||
	    vyx_schema_say(r, NULL, "must be a multiple of %s",
	        vyx_schema_short(k->v, buf));
}

TEST(limit)
{
	char buf[VYX_SCHEMA_SHORT];
	const char *words;
	int c, ok;

	(void)n, (void)seen;
	if (!json_is_number(j))
		return 1;
	c = vyx_schema_cmp(j, k->v);
	switch (k->id) {
	case VYX_SCHEMA_MAX:
		ok = c <= 0;
		words = "at most";
		break;
	case VYX_SCHEMA_MAX_EXCL:
		ok = c < 0;
		words = "below";
		break;
	case VYX_SCHEMA_MIN:
		ok = c >= 0;
		words = "at least";
		break;
	default:
		ok = c > 0;
		words = "above";
	}
	return ok ||
	    vyx_schema_say(r, NULL, "must be %s %s", words,
	        vyx_schema_short(k->v, buf));
}

/* `many` of something against a keyword that begins with max or min. */
static int
counted(struct vyx_schema_run *r, const struct vyx_schema_kw *k, size_t many,
    const char *what)
{
	int most = vyx_schema_words[k->id].name[1] == 'a';

	if (most ? many <= k->count : many >= k->count)
		return 1;
	if (!most && k->count == 1)
		return vyx_schema_say(r, NULL, "must not be empty");
	return vyx_schema_say(r, NULL, "must have at %s %ju %s%s",
	    most ? "most" : "least", (uintmax_t)k->count, what,
	    k->count == 1 ? "" : "s");
}

TEST(length)
{
	(void)n, (void)seen;
	if (!json_is_string(j) ||
	    !vyx_schema_spend(r, json_string_length(j) / 16))
		return !r->stop;
	return counted(r, k, vyx_schema_length(j), "character");
}

TEST(items_n)
{
	(void)n, (void)seen;
	return !json_is_array(j) || counted(r, k, json_array_size(j), "item");
}

TEST(props_n)
{
	(void)n, (void)seen;
	return !json_is_object(j) ||
	    counted(r, k, json_object_size(j), "member");
}

TEST(pattern)
{
	struct vyx_str s = { json_string_value(j), json_string_length(j) };

	(void)n, (void)seen;
	return !s.p || vyx_schema_matches(r, k->re[0], s) ||
	    vyx_schema_say(r, NULL, "must match the pattern %.200s",
	        json_string_value(k->v));
}

TEST(format)
{
	struct vyx_str s = { json_string_value(j), json_string_length(j) };

	(void)n, (void)seen;
	if (!s.p || !k->count ||
	    !vyx_schema_spend(r, vyx_schema_format_cost(k->count, s)))
		return !r->stop;
	return vyx_schema_format_test(k->count, s) ||
	    vyx_schema_say(r, NULL, "must be %s",
	        vyx_schema_format_words(k->count));
}

TEST(required)
{
	json_t *name;
	size_t i;
	int ok = 1;

	(void)n, (void)seen;
	if (!json_is_object(j) || !vyx_schema_spend(r, json_array_size(k->v)))
		return !r->stop;
	json_array_foreach(k->v, i, name)
	{
		const char *z = json_string_value(name);

		if (json_object_get(j, z))
			continue;
		ok = vyx_schema_say(r, z, "is required");
		if (vyx_schema_enough(r))
			break;
	}
	return ok;
}

struct hashed {
	uint64_t hash;
	const json_t *v;
};

static int
by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Only those of one hash are compared: 1, 0 when two are equal. */
static int
all_differ(struct vyx_schema_run *r, const struct hashed *v, size_t many)
{
	for (size_t i = 0; i < many; i++)
		for (size_t o = i + 1; o < many && v[o].hash == v[i].hash; o++)
			if (equal(r, v[i].v, v[o].v) || r->stop)
				return 0;
	return 1;
}

TEST(unique)
{
	size_t many = json_array_size(j);
	struct hashed few[16],
	    *v = many <= VYX_COUNT(few) ? few
	                                : reallocarray(NULL, many, sizeof(*v));
	int ok;

	(void)n, (void)seen;
	if (!v) {
		r->stop = VYX_SCHEMA_MEMORY;
		return 0;
	}
	many = json_is_true(k->v) ? many : 0;
	for (size_t i = 0; i < many && vyx_schema_spend(r, 1); i++) {
		v[i].v = json_array_get(j, i);
		v[i].hash = vyx_schema_hash(v[i].v, &r->steps);
	}
	ok = vyx_schema_spend(r, 1);
	if (ok) {
		qsort(v, many, sizeof(*v), by_hash);
		ok = all_differ(r, v, many);
	}
	if (v != few)
		free(v);
	return ok ||
	    vyx_schema_say(r, NULL, "must not have the same item twice");
}

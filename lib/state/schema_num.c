/* SPDX-License-Identifier: ISC */
/* schema_num - numbers as they are written, and values that are equal. */
#include <stdio.h>

#include "schema_int.h"

/* A double from here on has no fraction. */
#define WHOLE 0x1p53
/* One more than the largest integer. Not in hex: cppcheck misreads that. */
#define TOP 9223372036854775808.0

int
vyx_schema_integral(const json_t *j)
{
	double d = json_real_value(j);

	if (json_is_integer(j))
		return 1;
	if (!json_is_real(j))
		return 0;
	return d >= WHOLE || d <= -WHOLE || (double)(int64_t)d == d;
}

/* An integer against a double, exactly. */
static int
cmp_mixed(int64_t i, double d)
{
	int64_t whole;

	if (d >= TOP)
		return -1;
	if (d < -TOP)
		return 1;
	whole = (int64_t)d;
	if (i != whole)
		return i < whole ? -1 : 1;
	d -= (double)whole;
	return (d < 0) - (d > 0);
}

int
vyx_schema_cmp(const json_t *a, const json_t *b)
{
	int64_t i = json_integer_value(a), j = json_integer_value(b);
	double x = json_real_value(a), y = json_real_value(b);

	if (json_is_integer(a))
		return json_is_integer(b) ? (i > j) - (i < j) : cmp_mixed(i, y);
	return json_is_integer(b) ? -cmp_mixed(j, x) : (x > y) - (x < y);
}

/* digits * 10^exp, without a sign */
struct decimal {
	uint64_t digits;
	int exp;
};

/* The same for most of what people write, without a text: digits below 10^15
 * and powers of ten up to 22 are exact, so the quotient is the double that the
 * decimal reads as, and no other decimal of 15 digits does. */
static int
brief(double d, struct decimal *v)
{
	static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
		1e19, 1e20, 1e21, 1e22 };
	uint64_t i;

	for (size_t e = 0; e < VYX_COUNT(tens) && d * tens[e] < 1e15; e++) {
		i = (uint64_t)(d * tens[e] + 0.5);
		if ((double)i / tens[e] == d) {
			*v = (struct decimal){ i, -(int)e };
			return 1;
		}
	}
	return 0;
}

/* The shortest decimal that reads as this double: what was written, when that
 * had 15 digits or less. */
static struct decimal
shortest(double d)
{
	struct decimal v = { 0, 0 };
	char text[40];
	double back = 0;
	const char *p;

	if (brief(d < 0 ? -d : d, &v))
		return v;
	for (int prec = 14; prec <= 16; prec++) {
		snprintf(text, sizeof(text), "%.*e", prec, d < 0 ? -d : d);
		if (sscanf(text, "%lf", &back) == 1 && back == (d < 0 ? -d : d))
			break;
	}
	for (p = text; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9') {
			v.digits = v.digits * 10 + (uint64_t)(*p - '0');
			v.exp -= p > text;
		}
	if (*p == 'e') {
		int sign = p[1] == '-' ? -1 : 1, e = 0;

		for (p += 2; *p >= '0' && *p <= '9'; p++)
			e = e * 10 + (*p - '0');
		v.exp += sign * e;
	}
	while (v.digits && v.digits % 10 == 0) {
		v.digits /= 10;
		v.exp++;
	}
	return v;
}

static struct decimal
decimal(const json_t *j)
{
	int64_t i = json_integer_value(j);

	if (json_is_real(j))
		return shortest(json_real_value(j));
	return (struct decimal){ i < 0 ? 0 - (uint64_t)i : (uint64_t)i, 0 };
}

/* 10 * x modulo m, for x < m, without a wider type */
static uint64_t
ten_times(uint64_t x, uint64_t m)
{
	uint64_t sum = 0;

	for (int i = 0; i < 10; i++)
		sum = sum >= m - x ? sum - (m - x) : sum + x;
	return sum;
}

int
vyx_schema_multiple(const json_t *v, const json_t *of)
{
	struct decimal a = decimal(v), b = decimal(of);
	uint64_t rest;

	if (!a.digits || !b.digits)
		return !a.digits;
	if (a.exp >= b.exp) {
		/* a * 10^k is a multiple of b; k has 3 digits at most */
		rest = a.digits % b.digits;
		for (; a.exp > b.exp && rest; a.exp--)
			rest = ten_times(rest, b.digits);
		return rest == 0;
	}
	/* a is one of b * 10^k, which it cannot be below it */
	for (rest = b.digits; a.exp < b.exp; b.exp--) {
		if (rest > a.digits / 10)
			return 0;
		rest *= 10;
	}
	return a.digits % rest == 0;
}

size_t
vyx_schema_length(const json_t *s)
{
	const char *p = json_string_value(s);
	size_t n = json_string_length(s), many = 0;

	for (size_t i = 0; i < n; i++)
		many += ((unsigned char)p[i] & 0xc0) != 0x80;
	return many;
}

static int
equal_parts(const json_t *a, const json_t *b, uint64_t *steps)
{
	const char *key;
	json_t *v;
	int got = 1;

	if (json_is_array(a)) {
		if (json_array_size(a) != json_array_size(b))
			return 0;
		for (size_t i = 0; i < json_array_size(a) && got == 1; i++)
			got = vyx_schema_equal(json_array_get(a, i),
			    json_array_get(b, i), steps);
		return got;
	}
	if (json_object_size(a) != json_object_size(b))
		return 0;
	json_object_foreach(vyx_schema_loose(a), key, v)
	{
		const json_t *w = json_object_get(b, key);

		if (!w)
			return 0;
		if ((got = vyx_schema_equal(v, w, steps)) != 1)
			break;
	}
	return got;
}

int
vyx_schema_equal(const json_t *a, const json_t *b, uint64_t *steps)
{
	if (!*steps)
		return -1;
	--*steps;
	if (json_is_number(a) && json_is_number(b))
		return vyx_schema_cmp(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return 0;
	if (json_is_string(a))
		return vyx_str_eq((struct vyx_str){ json_string_value(a),
		                      json_string_length(a) },
		    (struct vyx_str){
		        json_string_value(b), json_string_length(b) });
	if (json_is_array(a) || json_is_object(a))
		return equal_parts(a, b, steps);
	return 1;
}

/* Values are hashed to sort them, not to keep strangers out: who makes two
 * collide gains a comparison, and those are counted. */
static const uint8_t no_key[16];

static uint64_t
hash_scalar(const json_t *j)
{
	double d = json_real_value(j);
	int64_t i = json_integer_value(j);

	if (json_is_string(j))
		return vyx_hash(no_key, json_string_value(j),
		    json_string_length(j));
	if (json_is_real(j) && vyx_schema_integral(j) && d >= -TOP && d < TOP)
		i = (int64_t)d; /* 1.0 is 1 */
	else if (json_is_real(j))
		return vyx_hash(no_key, &d, sizeof(d));
	if (json_is_number(j))
		return vyx_hash(no_key, &i, sizeof(i));
	return (uint64_t)json_typeof(j);
}

uint64_t
vyx_schema_hash(const json_t *j, uint64_t *steps)
{
	const char *key;
	json_t *v;
	uint64_t h[2] = { (uint64_t)json_typeof(j), 0 };
	size_t i;

	uint64_t cost = 1 + json_string_length(j) / 16;

	*steps -= *steps < cost ? *steps : cost;
	if (!json_is_array(j) && !json_is_object(j))
		return hash_scalar(j);
	json_array_foreach(j, i, v)
	{
		h[1] = vyx_schema_hash(v, steps);
		h[0] = vyx_hash(no_key, h, sizeof(h));
	}
	json_object_foreach(vyx_schema_loose(j), key, v)
	{
		uint64_t m[2] = { vyx_hash(no_key, key, strlen(key)),
			vyx_schema_hash(v, steps) };

		h[1] += vyx_hash(no_key, m, sizeof(m)); /* in any order */
	}
	return json_is_object(j) ? vyx_hash(no_key, h, sizeof(h)) : h[0];
}

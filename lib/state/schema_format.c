/* SPDX-License-Identifier: ISC */
/* schema_format - formats as assertions. Each reads the whole of its text. */
#include <arpa/inet.h>

#include "schema_int.h"

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
is_alnum(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Take one byte of `set` off *s. */
static int
eat(struct vyx_str *s, const char *set)
{
	if (!s->n || !*s->p || !strchr(set, *s->p))
		return 0;
	s->p++;
	s->n--;
	return 1;
}

/* Take digits off *s, `most` at most; how many. */
static size_t
digits(struct vyx_str *s, size_t most, uint64_t *v)
{
	size_t n = 0;

	for (*v = 0; n < most && s->n && is_digit(*s->p); n++) {
		*v = *v * 10 + (uint64_t)(*s->p - '0');
		s->p++;
		s->n--;
	}
	return n;
}

/* RFC 3339 5.6 and 5.7: full-date. */
static int
eat_date(struct vyx_str *s)
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	uint64_t y, m, d;

	if (digits(s, 4, &y) != 4 || !eat(s, "-") || digits(s, 2, &m) != 2 ||
	    !eat(s, "-") || digits(s, 2, &d) != 2 || m < 1 || m > 12 || d < 1 ||
	    d > days[m - 1])
		return 0;
	return m != 2 || d < 29 || (y % 4 == 0 && (y % 100 || y % 400 == 0));
}

/* full-time; a leap second is one at 23:59:60 in UTC. */
static int
eat_time(struct vyx_str *s)
{
	uint64_t h, m, sec, oh = 0, om = 0, skip;
	int minus = 0;

	if (digits(s, 2, &h) != 2 || !eat(s, ":") || digits(s, 2, &m) != 2 ||
	    !eat(s, ":") || digits(s, 2, &sec) != 2 || h > 23 || m > 59 ||
	    sec > 60)
		return 0;
	if (eat(s, ".") && !digits(s, SIZE_MAX, &skip))
		return 0;
	if (!eat(s, "Zz")) {
		minus = s->n && *s->p == '-';
		if (!eat(s, "+-") || digits(s, 2, &oh) != 2 || !eat(s, ":") ||
		    digits(s, 2, &om) != 2 || oh > 23 || om > 59)
			return 0;
	}
	h = h * 60 + m + 1440;
	om += oh * 60;
	return sec < 60 || (minus ? h + om : h - om) % 1440 == 1439;
}

static int
is_date(struct vyx_str s)
{
	return eat_date(&s) && !s.n;
}

static int
is_time(struct vyx_str s)
{
	return eat_time(&s) && !s.n;
}

static int
is_date_time(struct vyx_str s)
{
	return eat_date(&s) && eat(&s, "Tt") && eat_time(&s) && !s.n;
}

/* Numbers, each with one of `units`, in their order and, as the grammar of
 * RFC 3339 appendix A has it, without a gap. How many. */
static size_t
eat_units(struct vyx_str *s, const char *units)
{
	const char *at = NULL, *hit;
	uint64_t skip;
	size_t n = 0;

	while (s->n && is_digit(*s->p)) {
		digits(s, SIZE_MAX, &skip);
		hit = s->n && *s->p ? strchr(units, *s->p) : NULL;
		if (!hit || (at && hit != at + 1))
			return 0;
		at = hit;
		eat(s, units);
		n++;
	}
	return n;
}

static int
is_duration(struct vyx_str s)
{
	struct vyx_str weeks;

	if (!eat(&s, "P"))
		return 0;
	weeks = s;
	if (eat_units(&weeks, "W") == 1 && !weeks.n)
		return 1;
	if (s.n && is_digit(*s.p) && !eat_units(&s, "YMD"))
		return 0;
	else if (s.n && eat(&s, "T"))
		return eat_units(&s, "HMS") && !s.n;
	return !s.n && s.p[-1] != 'P';
}

/* RFC 1123 2.1, RFC 1034 3.5. */
static int
is_hostname(struct vyx_str s)
{
	struct vyx_str label;

	if (!s.n || s.n > 253)
		return 0;
	while (s.p) {
		label = vyx_str_cut(&s, '.');
		if (!label.n || label.n > 63 || *label.p == '-' ||
		    label.p[label.n - 1] == '-')
			return 0;
		for (size_t i = 0; i < label.n; i++)
			if (!is_alnum(label.p[i]) && label.p[i] != '-')
				return 0;
	}
	return 1;
}

static int
is_address(struct vyx_str s, int family)
{
	unsigned char out[16];
	char z[64];

	if (s.n >= sizeof(z) || (s.n && memchr(s.p, 0, s.n)))
		return 0;
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return inet_pton(family, z, out) == 1;
}

static int
is_ipv4(struct vyx_str s)
{
	return is_address(s, AF_INET);
}

static int
is_ipv6(struct vyx_str s)
{
	return is_address(s, AF_INET6);
}

/* RFC 5321 4.1.2: Local-part. */
static int
is_local(struct vyx_str s)
{
	if (!s.n || s.n > 64)
		return 0;
	if (*s.p == '"') {
		for (size_t i = 1; i + 1 < s.n; i++) {
			if (s.p[i] == '\\')
				i++;
			else if (s.p[i] == '"')
				return 0;
			if (i + 1 == s.n || s.p[i] < ' ' || s.p[i] > '~')
				return 0;
		}
		return s.n > 1 && s.p[s.n - 1] == '"';
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '.' ? !i || i + 1 == s.n || s.p[i - 1] == '.'
		                  : !is_alnum(s.p[i]) &&
		            (!s.p[i] || !strchr("!#$%&'*+-/=?^_`{|}~", s.p[i])))
			return 0;
	return 1;
}

static int
is_email(struct vyx_str s)
{
	size_t at = s.n;
	struct vyx_str domain;

	while (at && s.p[at - 1] != '@')
		at--;
	if (!at || !is_local((struct vyx_str){ s.p, at - 1 }))
		return 0;
	domain = (struct vyx_str){ s.p + at, s.n - at };
	if (domain.n < 3 || *domain.p != '[' || domain.p[domain.n - 1] != ']')
		return is_hostname(domain);
	domain = (struct vyx_str){ domain.p + 1, domain.n - 2 };
	if (!vyx_str_starts(domain, VYX_STR("IPv6:")))
		return is_ipv4(domain);
	return is_ipv6((struct vyx_str){ domain.p + 5, domain.n - 5 });
}

static int
is_uri(struct vyx_str s)
{
	return vyx_schema_is_uri(s, 1);
}

static int
is_reference(struct vyx_str s)
{
	return vyx_schema_is_uri(s, 0);
}

static int
is_uuid(struct vyx_str s)
{
	for (size_t i = 0; i < s.n && i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23
		        ? s.p[i] != '-'
		        : vyx_hex_digit((unsigned char)s.p[i]) < 0)
			return 0;
	return s.n == 36;
}

static int
is_pointer(struct vyx_str s)
{
	if (s.n && *s.p != '/')
		return 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' &&
		    (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return 0;
	return 1;
}

static int
is_relative(struct vyx_str s)
{
	int zero = s.n && *s.p == '0';
	uint64_t skip;
	size_t n = digits(&s, SIZE_MAX, &skip);

	if (!n || (zero && n > 1))
		return 0;
	return vyx_str_eq(s, VYX_STR("#")) || is_pointer(s);
}

static int
is_regex(struct vyx_str s)
{
	struct vyx_regex_error e;
	struct vyx_regex *re = vyx_regex_compile(s, &e);

	vyx_regex_free(re);
	return re != NULL;
}

#define ROW(id, name, words) { name, words, is_##id },
static const struct {
	const char *name, *words;
	int (*is)(struct vyx_str s);
} formats[] = { VYX_SCHEMA_FORMATS(ROW) };

size_t
vyx_schema_format_find(const char *name)
{
	for (size_t i = 0; i < VYX_COUNT(formats); i++)
		if (!strcmp(formats[i].name, name))
			return i + 1;
	return 0;
}

const char *
vyx_schema_format_words(size_t which)
{
	return formats[which - 1].words;
}

uint64_t
vyx_schema_format_cost(size_t which, struct vyx_str s)
{
	/* a pattern is compiled, and a short one may become a long program */
	return s.n / 16 +
	    (formats[which - 1].is == is_regex ? VYX_REGEX_PROG : 0);
}

int
vyx_schema_format_test(size_t which, struct vyx_str s)
{
	return formats[which - 1].is(s);
}

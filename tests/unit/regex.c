/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/regex.h"

/*
 * Patterns against lib/state/regex.h and ECMA-262 22.2 with the u flag. Costs
 * are counted in steps, never in time. Not tested: that the categories are
 * Unicode's, which etc/dev/gc copies.
 */

static struct vyx_regex *
compile(const char *pattern)
{
	struct vyx_regex_error e = { "", 0 };
	struct vyx_regex *re = vyx_regex_compile(VYX_STRZ(pattern), &e);

	if (!re)
		fail_msg("%s: byte %zu: %s", pattern, e.at, e.why);
	return re;
}

static int
match(const char *pattern, struct vyx_str text)
{
	struct vyx_regex *re = compile(pattern);
	uint64_t steps = UINT64_MAX;
	int got = vyx_regex_match(re, text, &steps), again;

	again = vyx_regex_match(re, text, &steps);
	assert_int_equal(got, again);
	vyx_regex_free(re);
	return got;
}

/* A pattern, texts that have a match, and texts that have none. */
struct row {
	const char *pattern, *yes[6], *no[6];
};

/* clang-format off */
static const struct row rows[] = {
	{ "", { "", "a" }, { NULL } },
	{ "a", { "a", "bab" }, { "", "b", "A" } },
	{ "^a$", { "a" }, { "aa", "a\n", "\na" } },
	{ "^$", { "" }, { "a", "\n" } },
	{ "$^", { "" }, { "a" } },
	{ "a^b", { NULL }, { "ab", "a\nb" } },
	{ "^a*$", { "", "aaaa" }, { "aab" } },
	{ "^a+$", { "a", "aa" }, { "" } },
	{ "^ab?c$", { "ac", "abc" }, { "abbc" } },
	{ "^a*?b+?c??$", { "b", "abc", "aabbc" }, { "a", "bcc" } },
	{ "^(ab|c)+$", { "ab", "cab", "abab" }, { "", "a", "cb" } },
	{ "^(|a)b$", { "b", "ab" }, { "aab" } },
	{ "^(?:a|b|cd|)$", { "a", "b", "cd", "" }, { "ab", "c" } },
	{ "^(?<year>\\d{4})-\\d{2}$", { "2025-01" }, { "202-01" } },
	{ "^a{3}$", { "aaa" }, { "aa", "aaaa" } },
	{ "^a{2,}$", { "aa", "aaaaa" }, { "a" } },
	{ "^a{1,3}$", { "a", "aa", "aaa" }, { "", "aaaa" } },
	{ "^a{0}$", { "" }, { "a" } },
	{ "^(a{2}b){2}$", { "aabaab" }, { "aab", "abab" } },
	{ "^(a*)*$", { "", "aaa" }, { "b" } },
	{ "^(a*)+b$", { "b", "aab" }, { "a" } },
	{ "^((a?){3}){2}$", { "", "aaaaaa" }, { "aaaaaaa" } },
	{ "^.$", { "a", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff" },
		{ "", "ab", "\n", "\r", "\xe2\x80\xa8" } },
	{ "^[abc-e]$", { "a", "d", "e" }, { "f", "-", "" } },
	{ "^[^a-c]$", { "d", "\n", "\xc3\xa9" }, { "a", "c", "" } },
	{ "^[a\\-z]$", { "a", "-", "z" }, { "b" } },
	{ "^[-a]$", { "-", "a" }, { "b" } },
	{ "^[a-]$", { "-", "a" }, { "b" } },
	{ "^[.*+$(]$", { ".", "*", "+", "$", "(" }, { "a" } },
	{ "^[\\]\\\\^]$", { "]", "\\", "^" }, { "[" } },
	{ "[]", { NULL }, { "", "a" } },
	{ "^[^]$", { "a", "\n" }, { "" } },
	{ "^[\\b]$", { "\b" }, { "b" } },
	{ "^[\\d_]$", { "7", "_" }, { "a" } },
	{ "^[\\D]$", { "a", "\xd9\xa3" }, { "7" } },
	{ "^[^\\W\\d]$", { "a", "_" }, { "7", "-" } },
	{ "^[\xc3\xa0-\xc3\xbf]$", { "\xc3\xa9" }, { "a", "\xc4\x80" } },
	{ "^\\d$", { "0", "9" }, { "a", "\xd9\xa3" } },
	{ "^\\w$", { "a", "Z", "_", "5" }, { "-", "\xc3\xa9" } },
	{ "^\\W$", { "-", "\xc3\xa9" }, { "a" } },
	{ "^\\s$", { " ", "\t", "\xc2\xa0", "\xef\xbb\xbf", "\xe2\x80\xa9" },
		{ "a", "\xe2\x80\x8b" } },
	{ "^\\S$", { "a" }, { " ", "\xe3\x80\x80" } },
	{ "\\bfoo\\b", { "foo", "a foo." }, { "food", "afoo" } },
	{ "\\Bo\\B", { "foot" }, { "o", "fo" } },
	{ "^\\t\\n\\v\\f\\r$", { "\t\n\v\f\r" }, { "tnvfr" } },
	{ "^\\x41\\u0042\\u{43}\\cJ$", { "ABC\n" }, { "abc\n" } },
	{ "^\\ud83d\\ude00$", { "\xf0\x9f\x98\x80" }, { "\xef\xbf\xbd" } },
	{ "^\\u{1F600}$", { "\xf0\x9f\x98\x80" }, { "a" } },
	{ "^\\.\\*\\/\\-\\@\\_$", { ".*/-@_" }, { "a" } },
	{ "^\\p{L}+$", { "a", "\xc3\x89t\xc3\xa9", "\xe6\xbc\xa2" }, { "1", "-", "" } },
	{ "^\\p{Letter}$", { "a" }, { "1" } },
	{ "^\\p{gc=Lu}$", { "A", "\xc3\x89" }, { "a", "\xc3\xa9" } },
	{ "^\\p{General_Category=Decimal_Number}$", { "1", "\xd9\xa3" }, { "a" } },
	{ "^\\p{digit}+$", { "42" }, { "-%#" } },
	{ "^\\P{L}$", { "1" }, { "a" } },
	{ "^[\\p{L}\\p{N}' ]+$", { "d'Artagnan 2" }, { "a-b" } },
	{ "^[^\\p{L}]$", { "1" }, { "a" } },
	{ "^[\\P{L}a]$", { "1", "a" }, { "b" } },
	{ "^\\p{Sc}$", { "$", "\xe2\x82\xac" }, { "a" } },
	{ "^\\p{Cn}$", { "\xcd\xb8" }, { "a" } },
	{ "^\\p{ASCII}$", { "a" }, { "\xc3\xa9" } },
	{ "^\\p{Any}$", { "\n" }, { "" } },
	{ "^\\P{Any}?$", { "" }, { "a" } },
	{ "^[a-z0-9]+(?:[._-][a-z0-9]+)*@[a-z]+\\.[a-z]{2,}$",
		{ "a.b@c.de", "x_1@y.org" }, { ".a@c.de", "a@c.d", "a..b@c.de" } },
	{ "^(?:[01]\\d|2[0-3]):[0-5]\\d$", { "23:59", "00:00" }, { "24:00", "1:00" } },
	/* a lone { is refused, one escaped is not */
	{ "^\\{\\}$", { "{}" }, { "" } },
	{ "x*$", { "", "axx", "b" }, { NULL } },
};
/* clang-format on */

static void
test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < VYX_COUNT(rows); i++) {
		const struct row *r = &rows[i];

		for (size_t j = 0; j < 6 && r->yes[j]; j++)
			if (match(r->pattern, VYX_STRZ(r->yes[j])) != 1)
				fail_msg("%s not in \"%s\"", r->pattern,
				    r->yes[j]);
		for (size_t j = 0; j < 6 && r->no[j]; j++)
			if (match(r->pattern, VYX_STRZ(r->no[j])) != 0)
				fail_msg("%s in \"%s\"", r->pattern, r->no[j]);
	}
	assert_int_equal(match("^a\\0b$", VYX_STR("a\0b")), 1);
	assert_int_equal(match("^a\\0b$", VYX_STR("a")), 0);
	assert_int_equal(match("^$", (struct vyx_str){ NULL, 0 }), 1);
}

/* A pattern that is refused: at which byte, and a part of why. */
static void
test_refused(void **state)
{
	static const struct {
		const char *pattern;
		size_t at;
		const char *why;
	} bad[] = {
		{ "a(?=b)", 4, "lookahead" },
		{ "(?!b)", 3, "lookahead" },
		{ "(?<=b)", 4, "lookbehind" },
		{ "(?<!b)", 4, "lookbehind" },
		{ "(a)\\1", 4, "back-references" },
		{ "(?<n>a)\\k<n>", 8, "back-references" },
		{ "(?i:a)", 1, "sort of group" },
		{ "(?<>a)", 3, "name of a group" },
		{ "(?<a", 4, "name of a group" },
		{ "(a", 2, "( without )" },
		{ "a)", 1, ") without (" },
		{ "[a", 2, "[ without ]" },
		{ "[a\\", 3, "nothing behind" },
		{ "a]", 1, "lone" },
		{ "a}", 1, "lone" },
		{ "{1}", 0, "lone" },
		{ "a{", 2, "{ without a number" },
		{ "a{x}", 2, "{ without a number" },
		{ "a{1", 3, "{ without }" },
		{ "a{1,x}", 4, "{ without }" },
		{ "a{2,1}", 6, "m over n" },
		{ "*a", 0, "nothing to repeat" },
		{ "a**", 2, "nothing to repeat" },
		{ "^*", 2, "nothing to repeat" },
		{ "\\b+", 3, "nothing to repeat" },
		{ "[b-a]", 4, "range" },
		{ "[\\d-x]", 5, "range" },
		{ "[a-\\d]", 5, "range" },
		{ "\\", 1, "nothing behind" },
		{ "\\q", 1, "no escape" },
		{ "\\A", 1, "no escape" },
		{ "\\Z", 1, "no escape" },
		{ "\\c1", 2, "\\c" },
		{ "\\x4", 2, "hex" },
		{ "\\u12", 2, "hex" },
		{ "\\u{110000}", 10, "hex" },
		{ "\\u{12", 2, "{ }" },
		{ "\\pL", 2, "{ }" },
		{ "\\p{Latin}", 9, "categories" },
		{ "\\p{Script=Greek}", 16, "categories" },
		{ "\\p{sc=L}", 8, "categories" },
		{ "a{9000}", 7, "too large" },
		{ "((a{90}){90}){90}", 17, "too large" },
		{ "a{99999999999999999999}", 23, "too large" },
		{ "((((){999}){999}){999}){999}", 28, "too many" },
	};
	struct vyx_regex_error e;
	struct vyx_str long_one;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		errno = 0;
		if (vyx_regex_compile(VYX_STRZ(bad[i].pattern), &e))
			fail_msg("%s is taken", bad[i].pattern);
		assert_int_equal(errno, EINVAL);
		if (!strstr(e.why, bad[i].why))
			fail_msg("%s: %s", bad[i].pattern, e.why);
		if (e.at != bad[i].at && !strstr(e.why, "hex"))
			fail_msg("%s: byte %zu", bad[i].pattern, e.at);
	}
	long_one.n = VYX_REGEX_TEXT + 1;
	long_one.p = calloc(1, long_one.n);
	assert_null(vyx_regex_compile(long_one, &e));
	assert_non_null(strstr(e.why, "too long"));
	free((void *)(uintptr_t)long_one.p);
}

/* As deep as allowed, and one deeper. */
static void
test_nesting(void **state)
{
	char pattern[2 * VYX_REGEX_NEST + 4];
	struct vyx_regex_error e;

	(void)state;
	for (int more = 0; more < 2; more++) {
		int n = VYX_REGEX_NEST + more;

		memset(pattern, '(', (size_t)n);
		memset(pattern + n, ')', (size_t)n);
		pattern[2 * n] = '\0';
		if (!more)
			assert_int_equal(match(pattern, VYX_STR("")), 1);
		else
			assert_null(vyx_regex_compile(VYX_STRZ(pattern), &e));
	}
}

static uint64_t
cost(struct vyx_regex *re, size_t n, const char *tail)
{
	uint64_t steps = UINT64_MAX;
	char *text = malloc(n + 2);

	memset(text, 'a', n);
	strcpy(text + n, tail);
	assert_int_equal(vyx_regex_match(re, VYX_STRZ(text), &steps), 0);
	free(text);
	return UINT64_MAX - steps;
}

/* What makes a backtracking engine run for ever: twice the text, twice the
 * steps. */
static void
test_linear(void **state)
{
	static const char *const patterns[] = { "^(a+)+$", "^(a|aa)+$",
		"^(a|a)*$", "^(a*)*b$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]$",
		"^(a?){50}a{50}$", "(x+x+)+y", "^a*a*a*a*a*a*$" };

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(patterns); i++) {
		struct vyx_regex *re = compile(patterns[i]);
		uint64_t once = cost(re, 2000, "!"),
		         twice = cost(re, 4000, "!");

		if (twice > 2 * once + once / 10 ||
		    once > 2000 * (uint64_t)VYX_REGEX_PROG)
			fail_msg("%s: %ju, then %ju steps", patterns[i],
			    (uintmax_t)once, (uintmax_t)twice);
		vyx_regex_free(re);
	}
}

/* A match that may not take so long ends, and the pattern is as before. */
static void
test_budget(void **state)
{
	struct vyx_regex *re = compile("(a|b)*c$");
	uint64_t steps = 30;

	(void)state;
	assert_int_equal(vyx_regex_match(re, VYX_STR("abababababababababc"),
	                     &steps),
	    -1);
	assert_int_equal(steps, 0);
	steps = 1000;
	assert_int_equal(vyx_regex_match(re, VYX_STR("abababababababababc"),
	                     &steps),
	    1);
	assert_true(steps > 0 && steps < 1000);
	vyx_regex_free(re);
	vyx_regex_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/path.h"

/*
 * Canonical paths: RFC 3986 6.2.2 (case, percent-encoding, dot segments), and
 * the refusals of lib/wire/path.h. Not tested: query strings, which pass as
 * they are.
 */

static const char *
canon(const char *in, size_t n)
{
	static char buf[256], z[256];
	struct vyx_str out, s = { in, n };

	if (!vyx_path_canon(s, buf, sizeof(buf), &out))
		return errno == EINVAL ? "EINVAL" : "other";
	memcpy(z, out.p, out.n);
	z[out.n] = '\0';
	return z;
}

static void
test_forms(void **state)
{
	static const char *const same[][2] = {
		{ "", "/" },
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/b/", "/a/b/" },
		/* 6.2.2.1 and .2: capitals in %XX, needless ones decoded */
		{ "/caf%c3%a9", "/caf%C3%A9" },
		{ "/%7Euser/%61", "/~user/a" },
		{ "/%40me/a%3ab", "/@me/a:b" },
		{ "/a%21%24%26%27%28%29%2a%2b%2c%3d", "/a!$&'()*+,=" },
		{ "/a%20b", "/a%20b" },
		{ "/a%3bb", "/a%3Bb" },
		{ "/a%3fb%23", "/a%3Fb%23" },
		{ "/[x]|{}^`<>\"", "/%5Bx%5D%7C%7B%7D%5E%60%3C%3E%22" },
		{ "/%5bx%5D", "/%5Bx%5D" },
		{ "/100%25", "/100%25" },
		{ "/100%25ab", "/100%25ab" },
		/* contract 2: empty segments are none */
		{ "//", "/" },
		{ "//a///b//", "/a/b/" },
		/* 6.2.2.3 and 5.2.4: dot segments, never above the root */
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/a/.", "/a/" },
		{ "/a/..", "/" },
		{ "/a/../", "/" },
		{ "/a/./b/../../g", "/g" },
		{ "/../../etc/passwd", "/etc/passwd" },
		{ "/a//../b", "/b" },
		{ "/mid/content=5/../6", "/mid/6" },
		{ "/a/%2e%2e/b", "/b" },
		{ "/a/.%2E/b", "/b" },
		{ "/a/%2e/b", "/a/b" },
		{ "/...", "/..." },
		{ "/.a/..b", "/.a/..b" },
		{ "/a.b/c..", "/a.b/c.." },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(same); i++)
		assert_string_equal(canon(same[i][0], strlen(same[i][0])),
		    same[i][1]);
}

static void
test_refused(void **state)
{
	static const struct vyx_str bad[] = {
#define S(lit) { lit, sizeof(lit) - 1 }
		S("a"),
		S("*"),
		S("/a\\b"),
		S("/a;b"),
		S("/..;/b"),
		S("/a#b"),
		S("/a?b"),
		S("/a b"),
		S("/a\0b"),
		S("/a\tb"),
		S("/caf\xc3\xa9"),
		S("/a\x7f"),
		S("/%"),
		S("/%4"),
		S("/%4g"),
		S("/%g4"),
		S("/%2f"),
		S("/a%2Fb"),
		S("/%5c"),
		S("/%00"),
		S("/%0a"),
		S("/%0D"),
		S("/%1f"),
		S("/%7f"),
		S("/%c0%af"),
		S("/%C1%81"),
		S("/%252f"),
		S("/%252F"),
		S("/%255c"),
		S("/%2500"),
		S("/%252e%252e/"),
		S("/%250a"),
		S("/%253b"),
		S("/%25252f"),
		S("/%25%32%66"),
		S("/%25%32f"),
		S("/%252%66"),
		S("/a/%2fb/../c"),
#undef S
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		const char *got = canon(bad[i].p, bad[i].n);

		if (strcmp(got, "EINVAL") != 0)
			fail_msg("%s: %s", bad[i].p, got);
	}
}

static void
test_borrowed(void **state)
{
	struct vyx_str in = VYX_STR("/a/b.c/d"), out;
	char buf[16];

	(void)state;
	assert_true(vyx_path_canon(in, NULL, 0, &out));
	assert_ptr_equal(out.p, in.p);
	in = VYX_STR("/a//b");
	assert_false(vyx_path_canon(in, buf, 3, &out));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_true(vyx_path_canon(in, buf, 4, &out));
	assert_ptr_equal(out.p, buf);
	in = VYX_STR("/[");
	assert_false(vyx_path_canon(in, buf, 3, &out));
	assert_true(vyx_path_canon(in, buf, 4, &out));
}

static void
test_segment(void **state)
{
	static const char *const same[][2] = { { "a", "a" },
		{ "caf\xc3\xa9", "caf%C3%A9" }, { "a b", "a%20b" },
		{ "%41%2b", "A+" }, { "[", "%5B" } };
	static const char *const bad[] = { ".", "..", "%2e", "a/b", "a;b", "a?",
		"a#", "%2f", "%252f", "a\\", "\x7f", "\xc0\xaf", "%" };
	struct vyx_str out;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(same); i++) {
		assert_true(vyx_path_segment(VYX_STRZ(same[i][0]), buf,
		    sizeof(buf), &out));
		assert_true(vyx_str_eq(out, VYX_STRZ(same[i][1])));
	}
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		errno = 0;
		assert_false(vyx_path_segment(VYX_STRZ(bad[i]), buf,
		    sizeof(buf), &out));
		assert_int_equal(errno, EINVAL);
	}
}

/* Every byte, as %XX, is refused or has one form, that of its raw self. */
static void
test_every_byte(void **state)
{
	static const char hex[] = "0123456789abcdef";
	unsigned kept = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char raw[2] = { '/', (char)c }, enc[4], a[16];

		enc[0] = '/';
		enc[1] = '%';
		enc[2] = hex[c >> 4];
		enc[3] = hex[c & 15];
		strcpy(a, canon(raw, 2));
		if (strcmp(a, "EINVAL") != 0 && c != '/')
			assert_string_equal(a, canon(enc, 4));
		kept += strcmp(canon(enc, 4), "EINVAL") != 0;
	}
	/* all but 32 controls, DEL, / \ C0 C1 */
	assert_int_equal(kept, 256 - 37);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_borrowed),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

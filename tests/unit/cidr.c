/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "state/cidr.h"

/*
 * Blocks by RFC 4632 3.1 and RFC 4291 2.3; X-Forwarded-For by the promises of
 * lib/state/cidr.h. Not tested: what inet_pton(3) takes for an address.
 */

/* An address as text, mapped ones as IPv4; "unix" for NULL. */
static const char *
text(const uint8_t *ip)
{
	static char z[INET6_ADDRSTRLEN];

	if (!ip)
		return "unix";
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)ip))
		return inet_ntop(AF_INET, ip + 12, z, sizeof z);
	return inet_ntop(AF_INET6, ip, z, sizeof z);
}

/* NULL-terminated by an empty block. */
static void
fill(struct vyx_cidrs *set, const char *const *blocks)
{
	const char *why = "?";

	for (; *blocks; blocks++)
		if (!vyx_cidrs_add(set, VYX_STRZ(*blocks), &why))
			fail_msg("%s: %s", *blocks, why);
}

static int
have(const struct vyx_cidrs *set, const char *addr)
{
	uint8_t ip[16];

	if (!strcmp(addr, "unix"))
		return vyx_cidrs_have(set, NULL);
	assert_true(vyx_ip_scan(VYX_STRZ(addr), ip));
	return vyx_cidrs_have(set, ip);
}

static void
test_match(void **state)
{
	static const struct {
		const char *block;
		const char *in[6], *out[6];
	} cases[] = {
		{ "10.0.0.0/8",
		    { "10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3" },
		    { "9.255.255.255", "11.0.0.0", "a00::", "unix" } },
		{ "192.0.2.1", { "192.0.2.1", "::ffff:c000:201" },
		    { "192.0.2.0", "192.0.2.3" } },
		{ "192.0.2.128/25", { "192.0.2.128", "192.0.2.255" },
		    { "192.0.2.127", "192.0.3.128" } },
		{ "192.0.2.4/31", { "192.0.2.4", "192.0.2.5" },
		    { "192.0.2.6", "192.0.2.3" } },
		{ "0.0.0.0/0", { "0.0.0.0", "255.255.255.255" },
		    { "::", "2001:db8::1", "unix" } },
		{ "128.0.0.0/1", { "128.0.0.0", "255.0.0.1" },
		    { "127.255.255.255" } },
		{ "::/0", { "::1", "ffff::" }, { "10.0.0.1", "unix" } },
		{ "::/64", { "::1" }, { "10.0.0.1", "0:0:0:1::" } },
		{ "2001:db8::/32", { "2001:db8::", "2001:db8:ffff::1" },
		    { "2001:db9::", "2001:db7:ffff::" } },
		{ "2001:db8::/33", { "2001:db8:7fff::" },
		    { "2001:db8:8000::" } },
		{ "fe80::1", { "fe80::1" }, { "fe80::", "fe80::3" } },
		{ "::ffff:10.0.0.0/104", { "10.9.9.9" },
		    { "11.0.0.0", "::1" } },
		{ "unix", { "unix" }, { "127.0.0.1", "::" } },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(cases); i++) {
		const char *const one[] = { cases[i].block, NULL };
		struct vyx_cidrs set = { 0 };

		fill(&set, one);
		for (const char *const *a = cases[i].in; *a; a++)
			if (!have(&set, *a))
				fail_msg("%s is in %s", *a, *one);
		for (const char *const *a = cases[i].out; *a; a++)
			if (have(&set, *a))
				fail_msg("%s is not in %s", *a, *one);
		vyx_cidrs_free(&set);
	}
}

static void
test_refused(void **state)
{
	static const char none[] = "no address, and no block of addresses";
	static const char v4[] = "after the / a number from 0 to 32 is needed";
	static const char v6[] = "after the / a number from 0 to 128 is needed";
	static const char set_[] = "the address has bits set behind the prefix";
	static const char *const cases[][2] = {
		{ "", none },
		{ "/8", none },
		{ "10.0.0/8", none },
		{ "10.0.0.256", none },
		{ "010.0.0.1", none },
		{ "10.0.0.1 ", none },
		{ "fe80::1%eth0", none },
		{ "[::1]", none },
		{ "10.0.0.1:80", none },
		{ "localhost", none },
		{ "Unix", none },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000", none },
		{ "10.0.0.0/", v4 },
		{ "10.0.0.0/33", v4 },
		{ "10.0.0.0/08", v4 },
		{ "10.0.0.0/+8", v4 },
		{ "10.0.0.0/8/8", v4 },
		{ "10.0.0.0/255.0.0.0", v4 },
		{ "::/129", v6 },
		{ "::/ 1", v6 },
		{ "::/18446744073709551617", v6 },
		{ "10.0.0.1/8", set_ },
		{ "10.0.0.1/31", set_ },
		{ "128.0.0.0/0", set_ },
		{ "2001:db8::1/64", set_ },
		{ "2001:db8:4000::/33", set_ },
		{ "::ffff:10.0.0.0/96", set_ },
		{ "::ffff:0:0/95", set_ },
	};
	struct vyx_cidrs set = { 0 };
	const char *why;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(cases); i++) {
		why = "taken";
		assert_false(vyx_cidrs_add(&set, VYX_STRZ(cases[i][0]), &why));
		if (strcmp(why, cases[i][1]) != 0)
			fail_msg("%s: %s, not %s", cases[i][0], why,
			    cases[i][1]);
	}
	assert_int_equal(set.n, 0);
	for (size_t i = 0; i < VYX_CIDRS; i++)
		assert_true(vyx_cidrs_add(&set, VYX_STR("10.0.0.1"), &why));
	assert_false(vyx_cidrs_add(&set, VYX_STR("10.0.0.1"), &why));
	assert_string_equal(why, "too many blocks");
	vyx_cidrs_free(&set);
	assert_int_equal(set.n, 0);
}

static void
test_ports(void **state)
{
	static const char *const good[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:0", "192.0.2.1" },
		{ "192.0.2.1:65535", "192.0.2.1" },
		{ "::1", "::1" },
		{ "[::1]", "::1" },
		{ "[2001:db8::1]:443", "2001:db8::1" },
		{ "[::ffff:192.0.2.1]:1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:db8::80", "2001:db8::80" },
	};
	static const char *const bad[] = { "", "unknown", "_hidden",
		"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:000080",
		"192.0.2.1:8o", "192.0.2.1:-1", ":80", "[", "[]", "[::1",
		"[::1]80", "[::1]:", "[::1]:x", "[::1]]", "[192.0.2.1]",
		"[192.0.2.1]:80", "::1]:80", "192.0.2.1:80:80", "\"[::1]\"",
		"192.0.2.1 :80", "1", "127.1", "0x7f.0.0.1" };
	uint8_t ip[16], untouched[16];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(good); i++) {
		assert_true(vyx_ip_scan_port(VYX_STRZ(good[i][0]), ip));
		assert_string_equal(text(ip), good[i][1]);
	}
	memset(untouched, 7, 16);
	memset(ip, 7, 16);
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		errno = 0;
		if (vyx_ip_scan_port(VYX_STRZ(bad[i]), ip))
			fail_msg("%s: taken for %s", bad[i], text(ip));
		assert_int_equal(errno, EINVAL);
		assert_memory_equal(ip, untouched, 16);
	}
	assert_false(vyx_ip_scan((struct vyx_str){ "1.2.3.4\0", 8 }, ip));
}

static void
test_forwarded(void **state)
{
	static const char *const trust[] = { "10.0.0.0/8", "2001:db8::/32",
		"unix", NULL };
	/* `|` parts two header lines */
	static const struct {
		const char *peer, *values, *client;
	} cases[] = {
		/* who is not trusted speaks for himself alone */
		{ "192.0.2.9", "198.51.100.1", "192.0.2.9" },
		{ "192.0.2.9", "10.0.0.1", "192.0.2.9" },
		{ "10.0.0.1", "", "10.0.0.1" },
		{ "10.0.0.1", "198.51.100.1", "198.51.100.1" },
		{ "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1" },
		{ "unix", "198.51.100.1", "198.51.100.1" },
		/* what the client wrote himself is left of him */
		{ "10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1" },
		{ "10.0.0.1", "10.0.0.7, 198.51.100.1", "198.51.100.1" },
		{ "10.0.0.1", "198.51.100.1, 10.0.0.3,10.0.0.2",
		    "198.51.100.1" },
		{ "10.0.0.1", "1.1.1.1,198.51.100.1|10.0.0.2", "198.51.100.1" },
		{ "10.0.0.1", "198.51.100.1|10.0.0.3|10.0.0.2",
		    "198.51.100.1" },
		/* all trusted: the first of them */
		{ "10.0.0.1", "10.0.0.4,10.0.0.3", "10.0.0.4" },
		/* no address: whoever wrote it */
		{ "10.0.0.1", "unknown", "10.0.0.1" },
		{ "10.0.0.1", "198.51.100.1, garbage", "10.0.0.1" },
		{ "10.0.0.1", "198.51.100.1, x, 10.0.0.2", "10.0.0.2" },
		{ "10.0.0.1", "198.51.100.1 10.0.0.2", "10.0.0.1" },
		{ "unix", "x", "unix" },
		/* empty items, blanks, ports */
		{ "10.0.0.1", " ,, 198.51.100.1\t, ,", "198.51.100.1" },
		{ "10.0.0.1", ",|,198.51.100.1,|", "198.51.100.1" },
		{ "10.0.0.1", "198.51.100.1:4711, 10.0.0.2:1", "198.51.100.1" },
		{ "10.0.0.1", "[2001:db9::1]:80,[2001:db8::1]", "2001:db9::1" },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(cases); i++) {
		struct vyx_cidrs set = { 0 };
		struct vyx_str v[8], rest = VYX_STRZ(cases[i].values);
		uint8_t peer[16], ip[16], *from = peer;
		const char *got;
		size_t n = 0;

		fill(&set, trust);
		while (rest.p)
			v[n++] = vyx_str_cut(&rest, '|');
		if (strcmp(cases[i].peer, "unix") == 0)
			from = NULL;
		else
			assert_true(vyx_ip_scan(VYX_STRZ(cases[i].peer), peer));
		got = text(vyx_forwarded_client(from, v, n, &set, ip));
		if (strcmp(got, cases[i].client) != 0)
			fail_msg("%s says %s: %s, not %s", cases[i].peer,
			    cases[i].values, got, cases[i].client);
		vyx_cidrs_free(&set);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

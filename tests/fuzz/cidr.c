/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/cidr.h"

/*
 * Line by line: the trusted blocks, parted by blanks; the peer; then values
 * of X-Forwarded-For. The client is who a plain reading from the left finds;
 * a block holds its own first address and none with a bit of the prefix
 * changed; an address reads the same with a port behind it.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define VALUES 16

static void
check_block(struct vyx_str s)
{
	struct vyx_cidrs one = { 0 };
	const char *why = NULL;
	uint8_t ip[16];

	if (!vyx_cidrs_add(&one, s, &why)) {
		CHECK(why && !one.n && !one.local);
		return;
	}
	CHECK(one.n + one.local == 1);
	if (one.n) {
		CHECK(vyx_cidrs_have(&one, one.v->net));
		for (unsigned i = 0; i < one.v->bits; i++) {
			memcpy(ip, one.v->net, 16);
			ip[i / 8] ^= (uint8_t)(0x80 >> i % 8);
			CHECK(!vyx_cidrs_have(&one, ip));
		}
	}
	vyx_cidrs_free(&one);
}

static void
check_address(struct vyx_str s)
{
	uint8_t ip[16], port[16];
	char z[64];
	size_t n = 0;
	int six = s.n && memchr(s.p, ':', s.n) != NULL;

	if (!vyx_ip_scan(s, ip))
		return;
	CHECK(s.n < 46);
	if (six)
		z[n++] = '[';
	memcpy(z + n, s.p, s.n);
	n += s.n;
	if (six)
		z[n++] = ']';
	memcpy(z + n, ":8080", 5);
	CHECK(vyx_ip_scan_port((struct vyx_str){ z, n + 5 }, port));
	CHECK(!memcmp(ip, port, 16));
	CHECK(vyx_ip_scan_port(s, port) && !memcmp(ip, port, 16));
}

/* From the left: behind each item that is no address, and behind each that is
 * not trusted, all before is forgotten. */
static int
plain(const struct vyx_str *v, size_t n, const struct vyx_cidrs *trusted,
    uint8_t client[16])
{
	struct vyx_str rest, item;
	uint8_t ip[16];
	int have = 0;

	for (size_t i = 0; i < n; i++)
		for (rest = v[i]; rest.p;) {
			item = vyx_str_cut(&rest, ',');
			while (item.n &&
			    (item.p[0] == ' ' || item.p[0] == '\t'))
				item.p++, item.n--;
			while (item.n &&
			    (item.p[item.n - 1] == ' ' ||
			        item.p[item.n - 1] == '\t'))
				item.n--;
			if (!item.n)
				continue;
			if (!vyx_ip_scan_port(item, ip))
				have = 0;
			else if (!vyx_cidrs_have(trusted, ip) || !have) {
				have = 1;
				memcpy(client, ip, 16);
			}
		}
	return have;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str rest = { (const char *)data, n }, line, item, v[VALUES];
	uint8_t peer[16], ip[16], want[16];
	struct vyx_cidrs set = { 0 };
	const uint8_t *from = peer, *got;
	const char *why;
	size_t count = 0;

	for (line = vyx_str_cut(&rest, '\n'); line.p;) {
		item = vyx_str_cut(&line, ' ');
		check_block(item);
		vyx_cidrs_add(&set, item, &why);
	}
	line = rest.p ? vyx_str_cut(&rest, '\n') : rest;
	check_address(line);
	if (!vyx_ip_scan(line, peer))
		from = NULL;
	while (rest.p && count < VALUES)
		v[count++] = vyx_str_cut(&rest, '\n');
	got = vyx_forwarded_client(from, v, count, &set, ip);
	if (vyx_cidrs_have(&set, from) && plain(v, count, &set, want))
		CHECK(got == ip && !memcmp(ip, want, 16));
	else
		CHECK(got == from);
	vyx_cidrs_free(&set);
	return 0;
}

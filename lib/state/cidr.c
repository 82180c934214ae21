/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "state/cidr.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static int
is_v4(const uint8_t ip[16])
{
	return !memcmp(ip, mapped, sizeof mapped);
}

/* 4 or 6: how it was written. 0: no address. */
static int
scan(struct vyx_str s, uint8_t ip[16])
{
	char z[INET6_ADDRSTRLEN];

	if (!s.n || s.n >= sizeof z || memchr(s.p, '\0', s.n))
		return 0;
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	if (memchr(z, ':', s.n))
		return inet_pton(AF_INET6, z, ip) == 1 ? 6 : 0;
	memcpy(ip, mapped, sizeof mapped);
	return inet_pton(AF_INET, z, ip + 12) == 1 ? 4 : 0;
}

int
vyx_ip_scan(struct vyx_str s, uint8_t ip[16])
{
	uint8_t got[16];

	if (!scan(s, got)) {
		errno = EINVAL;
		return 0;
	}
	memcpy(ip, got, 16);
	return 1;
}

int
vyx_ip_scan_port(struct vyx_str s, uint8_t ip[16])
{
	struct vyx_str host = s, port = { NULL, 0 };
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL, *end;
	uint64_t number;
	uint8_t got[16];
	int form = 4;

	if (s.n && *s.p == '[') {
		form = 6;
		if (!(end = memchr(s.p, ']', s.n)))
			goto bad;
		host = (struct vyx_str){ s.p + 1, (size_t)(end - s.p) - 1 };
		port =
		    (struct vyx_str){ end + 1, s.n - (size_t)(end + 1 - s.p) };
		if (port.n && *port.p != ':')
			goto bad;
	} else if (colon &&
	    !memchr(colon + 1, ':', s.n - (size_t)(colon + 1 - s.p))) {
		host.n = (size_t)(colon - s.p);
		port = (struct vyx_str){ colon, s.n - host.n };
	} else
		return vyx_ip_scan(s, ip);
	if (port.n &&
	    (port.n > 6 ||
	        !vyx_dec_scan((struct vyx_str){ port.p + 1, port.n - 1 }, 65535,
	            &number)))
		goto bad;
	if (scan(host, got) != form)
		goto bad;
	memcpy(ip, got, 16);
	return 1;
bad:
	errno = EINVAL;
	return 0;
}

/* Whether the first `bits` of both are the same. */
static int
same(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) &&
	    (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

/* Whether all bits behind the prefix are 0. */
static int
bare(const struct vyx_cidr *c)
{
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	if (rest && (uint8_t)(c->net[whole] << rest))
		return 0;
	for (whole += rest != 0; whole < 16; whole++)
		if (c->net[whole])
			return 0;
	return 1;
}

static const char *
scan_block(struct vyx_str s, struct vyx_cidr *c)
{
	struct vyx_str rest = s, addr = vyx_str_cut(&rest, '/');
	int form = scan(addr, c->net);
	uint64_t bits = form == 4 ? 32 : 128;

	if (!form)
		return "no address, and no block of addresses";
	if (rest.p &&
	    ((rest.n > 1 && *rest.p == '0') ||
	        !vyx_dec_scan(rest, bits, &bits)))
		return form == 4 ? "after the / a number from 0 to 32 is needed"
		                 : "after the / a number from 0 to 128 is "
		                   "needed";
	c->bits = (uint8_t)(form == 4 ? bits + 96 : bits);
	if (!bare(c))
		return "the address has bits set behind the prefix";
	if (c->bits < 96 && is_v4(c->net))
		return "an IPv4 block as IPv6 needs 96 bits or more";
	return NULL;
}

int
vyx_cidrs_add(struct vyx_cidrs *set, struct vyx_str block, const char **why)
{
	struct vyx_cidr c, *v;

	if (vyx_str_eq(block, VYX_STR("unix"))) {
		set->local = 1;
		return 1;
	}
	if ((*why = scan_block(block, &c)) != NULL)
		return 0;
	if (set->n >= VYX_CIDRS) {
		*why = "too many blocks";
		return 0;
	}
	if (!(set->n & (set->n - 1))) {
		v = reallocarray(set->v, set->n ? 2 * set->n : 1, sizeof *v);
		if (!v) {
			*why = "out of memory";
			return 0;
		}
		set->v = v;
	}
	set->v[set->n++] = c;
	return 1;
}

int
vyx_cidrs_have(const struct vyx_cidrs *set, const uint8_t *ip)
{
	int v4;

	if (!ip)
		return set->local;
	v4 = is_v4(ip);
	for (const struct vyx_cidr *c = set->v; c < set->v + set->n; c++)
		if ((!v4 || c->bits >= 96) && same(c->net, ip, c->bits))
			return 1;
	return 0;
}

void
vyx_cidrs_free(struct vyx_cidrs *set)
{
	free(set->v);
	*set = (struct vyx_cidrs){ 0 };
}

static int
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut the last item off *s, without the blanks around it. */
static struct vyx_str
last_item(struct vyx_str *s)
{
	const char *comma = memrchr(s->p, ',', s->n);
	struct vyx_str item = *s;

	if (comma) {
		item.p = comma + 1;
		item.n = s->n - (size_t)(item.p - s->p);
		s->n = (size_t)(comma - s->p);
	} else
		s->n = 0;
	while (item.n && blank(item.p[item.n - 1]))
		item.n--;
	for (; item.n && blank(*item.p); item.n--)
		item.p++;
	return item;
}

const uint8_t *
vyx_forwarded_client(const uint8_t *peer, const struct vyx_str *v, size_t n,
    const struct vyx_cidrs *trusted, uint8_t ip[16])
{
	const uint8_t *client = peer;
	struct vyx_str item, left;

	if (!vyx_cidrs_have(trusted, peer))
		return peer;
	while (n--)
		for (left = v[n]; left.n;) {
			item = last_item(&left);
			if (!item.n)
				continue;
			if (!vyx_ip_scan_port(item, ip))
				return client;
			client = ip;
			if (!vyx_cidrs_have(trusted, ip))
				return client;
		}
	return client;
}

/* SPDX-License-Identifier: ISC */
/* schema_uri - a reference seen from a base: RFC 3986 5.2, strict. */
#include "schema_int.h"

/* RFC 3986 3. What is absent has p NULL. */
struct uri {
	struct vyx_str scheme, authority, path, query;
};

static int
scheme_byte(char c, int first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (!first &&
	        ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

/* The fragment is gone already. */
static struct uri
split(struct vyx_str s)
{
	struct uri u = { .path = { NULL, 0 } };
	size_t i = 0;

	while (i < s.n && scheme_byte(s.p[i], i == 0))
		i++;
	if (i && i < s.n && s.p[i] == ':') {
		u.scheme = (struct vyx_str){ s.p, i };
		s = (struct vyx_str){ s.p + i + 1, s.n - i - 1 };
	}
	if (vyx_str_starts(s, VYX_STR("//"))) {
		for (i = 2; i < s.n && s.p[i] != '/' && s.p[i] != '?';)
			i++;
		u.authority = (struct vyx_str){ s.p + 2, i - 2 };
		s = (struct vyx_str){ s.p + i, s.n - i };
	}
	u.path = vyx_str_cut(&s, '?');
	u.query = s;
	return u;
}

/* Append `path` behind b->p[from] without its dot segments (5.2.4). */
static int
put_path(struct vyx_buf *b, size_t from, struct vyx_str path)
{
	int rooted = path.n && *path.p == '/', ok = 1;
	struct vyx_str seg;

	if (rooted)
		path = (struct vyx_str){ path.p + 1, path.n - 1 };
	while (path.p && ok) {
		seg = vyx_str_cut(&path, '/');
		if (vyx_str_eq(seg, VYX_STR("..")))
			while (b->n > from && b->p[--b->n] != '/')
				;
		if (vyx_str_eq(seg, VYX_STR("..")) ||
		    vyx_str_eq(seg, VYX_STR("."))) {
			/* the last one leaves a `/` */
			if (!path.p && (rooted || b->n > from))
				ok = vyx_buf_putc(b, '/');
			continue;
		}
		if (rooted || b->n > from)
			ok = vyx_buf_putc(b, '/');
		ok = ok && vyx_buf_putstr(b, seg);
		rooted = 1;
	}
	return ok;
}

/* 5.2.3: all of the base's path up to its last `/`, then the reference's. */
static int
merge(const struct uri *base, struct vyx_str path, struct vyx_buf *out)
{
	size_t n = base->path.n;

	if (base->authority.p && !n)
		return vyx_buf_putc(out, '/') && vyx_buf_putstr(out, path);
	while (n && base->path.p[n - 1] != '/')
		n--;
	return vyx_buf_put(out, base->path.p, n) && vyx_buf_putstr(out, path);
}

static int
put_uri(struct vyx_buf *b, const struct uri *u)
{
	if (u->scheme.p &&
	    !(vyx_buf_putstr(b, u->scheme) && vyx_buf_putc(b, ':')))
		return 0;
	if (u->authority.p &&
	    !(vyx_buf_puts(b, "//") && vyx_buf_putstr(b, u->authority)))
		return 0;
	/* a path without `/` behind a scheme, as of a URN, has no segments */
	if (u->scheme.p && !u->authority.p && u->path.n && *u->path.p != '/') {
		if (!vyx_buf_putstr(b, u->path))
			return 0;
	} else if (!put_path(b, b->n, u->path))
		return 0;
	return !u->query.p ||
	    (vyx_buf_putc(b, '?') && vyx_buf_putstr(b, u->query));
}

int
vyx_schema_uri(struct vyx_str base, struct vyx_str ref, struct vyx_buf *out)
{
	struct uri b = split(base), u = split(ref);
	struct vyx_buf path = { .max = 0 };
	int ok = 1;

	if (!u.scheme.p) {
		u.scheme = b.scheme;
		if (!u.authority.p) {
			u.authority = b.authority;
			if (!u.path.n) {
				u.path = b.path;
				if (!u.query.p)
					u.query = b.query;
			} else if (*u.path.p != '/') {
				ok = merge(&b, u.path, &path);
				u.path = vyx_buf_str(&path);
			}
		}
	}
	ok = ok && put_uri(out, &u);
	vyx_buf_free(&path);
	return ok;
}

/* Whether all of s stands for itself, is in `set`, or is %XX. */
static int
made_of(struct vyx_str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 ||
			    vyx_hex_digit((unsigned char)s.p[i + 1]) < 0 ||
			    vyx_hex_digit((unsigned char)s.p[i + 2]) < 0)
				return 0;
			i += 2;
		} else if (!scheme_byte(c, 0) && c != '_' && c != '~' &&
		    (!c || !strchr(set, c)))
			return 0;
	}
	return 1;
}

/* userinfo@host:port; a host in [ ] is an address (RFC 3986 3.2). */
static int
is_authority(struct vyx_str s)
{
	struct vyx_str rest = s, user = vyx_str_cut(&rest, '@');
	const char *end;
	uint64_t port;

	if (rest.p) {
		if (!made_of(user, "!$&'()*,;=:"))
			return 0;
		s = rest;
	}
	if (s.n && *s.p == '[') {
		end = memchr(s.p, ']', s.n);
		if (!end ||
		    !vyx_schema_format_test(vyx_schema_format_find("ipv6"),
		        (struct vyx_str){ s.p + 1, (size_t)(end - s.p - 1) }))
			return 0;
		s.n -= (size_t)(end + 1 - s.p);
		s.p = end + 1;
		if (s.n && *s.p != ':')
			return 0;
	}
	rest = s;
	return made_of(vyx_str_cut(&rest, ':'), "!$&'()*,;=") &&
	    (!rest.n || vyx_dec_scan(rest, UINT64_MAX, &port));
}

int
vyx_schema_is_uri(struct vyx_str s, int absolute)
{
	struct vyx_str frag = s, head = vyx_str_cut(&frag, '#'), first;
	struct uri u = split(head);

	if (!made_of(frag, "!$&'()*,;=:@/?") ||
	    !made_of(u.query, "!$&'()*,;=:@/?") ||
	    !made_of(u.path, "!$&'()*,;=:@/"))
		return 0;
	if (u.authority.p && !is_authority(u.authority))
		return 0;
	if (u.scheme.p || absolute)
		return u.scheme.p != NULL;
	/* what looks like a scheme and is none (RFC 3986 4.2) */
	first = u.path;
	first = vyx_str_cut(&first, '/');
	return u.authority.p || !first.n || !memchr(first.p, ':', first.n);
}

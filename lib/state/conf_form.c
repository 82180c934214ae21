/* SPDX-License-Identifier: ISC */
/* conf_form - the one form of each part of a route, or what is wrong. */
#include <stdio.h>

#include "state/conf_int.h"
#include "wire/path.h"

#define PATH_MAX_BYTES 1024

/* `:name` and `*name`: what a row's key may hold, and people can type. */
static int
param_ok(struct vyx_str s)
{
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (c != '_' && c != '-' && c != '.' &&
		    !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9'))
			return 0;
	}
	return s.n > 1;
}

/* The pattern in its one form: /a/:id/ *rest without empty segments, static
 * ones canonical (wire/path.h). "" when it is wrong, which is then noted. */
static struct vyx_str
pattern(struct vyx_doc *d, unsigned line, const char *key, struct vyx_str s)
{
	struct vyx_str rest = s, seg, out;
	char form[PATH_MAX_BYTES + 1], one[3 * PATH_MAX_BYTES + 1];
	size_t n = 0;

	while (rest.p) {
		seg = vyx_str_cut(&rest, '/');
		out = seg;
		if (!seg.n)
			continue;
		if (*seg.p == '*' && rest.n && strspn(rest.p, "/") < rest.n) {
			vyx_doc_error(d, line, key,
			    "%s takes all that is left, so it must be the "
			    "last segment",
			    VYX_SHOW(seg));
			return VYX_STR("");
		}
		if ((*seg.p == ':' || *seg.p == '*') ? !param_ok(seg)
		                                     : seg.n > PATH_MAX_BYTES ||
		            !vyx_path_segment(seg, one, sizeof one, &out)) {
			vyx_doc_error(d, line, key,
			    "%s cannot be a segment: a text, :name, or *name "
			    "at the end, the name of letters, digits, _ - and "
			    ".; no ; \\ %%2f and the like",
			    VYX_SHOW(seg));
			return VYX_STR("");
		}
		if (n + 1 + out.n > PATH_MAX_BYTES) {
			vyx_doc_error(d, line, key,
			    "more than %d bytes: shorten it", PATH_MAX_BYTES);
			return VYX_STR("");
		}
		form[n++] = '/';
		memcpy(form + n, out.p, out.n);
		n += out.n;
	}
	if (!n)
		form[n++] = '/';
	return vyx_notes_copy(d->notes, (struct vyx_str){ form, n });
}

/* In capitals when it can be a method (RFC 9110, 9.1), else noted. */
static struct vyx_str
method(struct vyx_doc *d, unsigned line, const char *key, struct vyx_str s)
{
	static const char more[] = "!#$%&'*+-.^_`|~0123456789";
	struct vyx_str up = vyx_notes_copy(d->notes, s);
	char *p = (char *)(uintptr_t)up.p;
	int ok = s.n > 0 && s.n <= 32;

	for (size_t i = 0; ok && i < up.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (char)(p[i] - ('a' - 'A'));
		else if (!(p[i] >= 'A' && p[i] <= 'Z') &&
		    !memchr(more, p[i], sizeof more - 1))
			ok = 0;
	if (ok)
		return up;
	vyx_doc_error(d, line, key,
	    "%s is no method: write one such as GET, or * for every one",
	    VYX_SHOW(s));
	return VYX_STR("");
}

static struct vyx_str
host(struct vyx_doc *d, unsigned line, const char *key, struct vyx_str s)
{
	struct vyx_str low = vyx_notes_copy(d->notes, s);
	char *p = (char *)(uintptr_t)low.p;
	size_t i = vyx_str_starts(s, VYX_STR("*.")) ? 2 : 0;
	int ok = s.n <= 253 && (s.n > i || !s.n);

	for (; ok && i < low.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
		else
			ok = (p[i] >= 'a' && p[i] <= 'z') ||
			    (p[i] >= '0' && p[i] <= '9') || p[i] == '-' ||
			    p[i] == '.';
	if (ok)
		return low;
	vyx_doc_error(d, line, key,
	    "%s is no host: write a name such as api.example.org or "
	    "*.example.org, without a port",
	    VYX_SHOW(s));
	return VYX_STR("");
}

static void
roles(struct vyx_doc *d, unsigned line, const char *key,
    const struct vyx_conf_route *r)
{
	if (r->n_roles > VYX_CONF_ROLES)
		vyx_doc_error(d, line, key,
		    "%zu roles are too many: %d at "
		    "most",
		    r->n_roles, VYX_CONF_ROLES);
	for (size_t i = 0; i < r->n_roles; i++) {
		struct vyx_str s = r->roles[i];

		if (!s.n || s.n > 64 || memchr(s.p, ' ', s.n) ||
		    memchr(s.p, '\t', s.n))
			vyx_doc_error(d, line, key,
			    "%s is no role: a word of 64 bytes at most is "
			    "needed",
			    VYX_SHOW(s));
	}
}

/* The schema's name out of the spellings that scanners write: greet,
 * JsonSchema: "greet". zod and pydantic: the worker validates, we do not. */
static struct vyx_str
schema(struct vyx_doc *d, unsigned line, const char *key, struct vyx_str s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz_-."
	                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	struct vyx_str whole = s, label = s;

	label.n = sizeof "JsonSchema:" - 1;
	if (s.n > label.n && vyx_str_caseeq(label, VYX_STR("JsonSchema:")))
		s = (struct vyx_str){ s.p + label.n, s.n - label.n };
	while (s.n && strchr(" \"'", *s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \"'", s.p[s.n - 1]))
		s.n--;
	if (vyx_str_eq(s, VYX_STR("zod")) || vyx_str_eq(s, VYX_STR("pydantic")))
		return VYX_STR("");
	for (size_t i = 0; i < s.n; i++)
		if (!memchr(set, s.p[i], sizeof set - 1) || *s.p == '.' ||
		    s.n > 200) {
			vyx_doc_error(d, line, key,
			    "%s is no name of a schema: letters, digits, . _ "
			    "and -, for the file NAME.json in "
			    "build.schemas_dir",
			    VYX_SHOW(whole));
			return VYX_STR("");
		}
	return s;
}

/* The key a note names: "routes[3]" + ".path". */
static const char *
at(char *into, const struct vyx_conf_route *r, const char *name)
{
	snprintf(into, 100, "%s.%s", r->key, name);
	return into;
}
#define AT(name) at((char[100]){ 0 }, r, name)

/* Bring what was read into its final form. */
void
vyx_conf_settle(struct vyx_conf *c, struct vyx_conf_route *r,
    struct vyx_str *methods, size_t n, const char *roles_name)
{
	struct vyx_doc *d = r->doc;
	size_t key;

	r->path = pattern(d, r->line, AT("path"), r->path);
	r->host = host(d, r->line, AT("host"), r->host);
	r->validate = schema(d, r->line, AT("validate"), r->validate);
	roles(d, r->line, AT(roles_name), r);
	if (!n || n > VYX_CONF_METHODS)
		vyx_doc_error(d, r->line, AT("method"),
		    "1 to %d methods are needed", VYX_CONF_METHODS);
	r->methods = vyx_notes_get(&c->notes, (n + 1) * sizeof *r->methods);
	if (!r->methods)
		return;
	key = 1 + r->host.n + r->path.n;
	for (size_t i = 0; i < n && i < VYX_CONF_METHODS; i++) {
		struct vyx_str m = method(d, r->line, AT("method"), methods[i]);
		int twice = !m.n;

		for (size_t j = 0; j < r->n_methods; j++)
			twice |= vyx_str_eq(m, r->methods[j]);
		if (!twice)
			r->methods[r->n_methods++] = m;
		key += m.n + 1;
	}
	if (key > PATH_MAX_BYTES)
		vyx_doc_error(d, r->line, AT("path"),
		    "methods, host and path have more than %d bytes together: "
		    "shorten them",
		    PATH_MAX_BYTES);
}

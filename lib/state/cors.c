/* SPDX-License-Identifier: ISC */
#include "state/cors.h"

#include "wire/http1.h"
#include "wire/pen.h"

static int
any(struct vyx_str list)
{
	return vyx_str_eq(list, VYX_STR("*"));
}

static int
allowed(const struct vyx_cors *c, struct vyx_str origin)
{
	struct vyx_str left = c->origins;

	if (any(left))
		return 1;
	while (origin.n && left.n)
		if (vyx_str_caseeq(vyx_str_cut(&left, ' '), origin))
			return 1;
	return 0;
}

/* NAME: the items of the list, with commas. */
static void
list(struct vyx_pen *w, struct vyx_str name, struct vyx_str items)
{
	vyx_pen_str(w, name);
	while (items.n) {
		vyx_pen_str(w, vyx_str_cut(&items, ' '));
		if (items.n)
			vyx_pen_lit(w, ", ");
	}
	vyx_pen_lit(w, "\r\n");
}

size_t
vyx_cors_answer(const struct vyx_cors *c, struct vyx_str origin, char *out,
    size_t cap)
{
	struct vyx_pen w = { out, out + cap, 0 };

	if (!c->origins.n)
		return 0;
	if (!any(c->origins))
		vyx_pen_lit(&w, "Vary: Origin\r\n");
	if (!allowed(c, origin))
		return vyx_pen_end(&w, out);
	vyx_pen_lit(&w, "Access-Control-Allow-Origin: ");
	vyx_pen_str(&w, any(c->origins) ? VYX_STR("*") : origin);
	vyx_pen_lit(&w, "\r\n");
	if (c->credentials)
		vyx_pen_lit(&w, "Access-Control-Allow-Credentials: true\r\n");
	if (c->expose.n)
		list(&w, VYX_STR("Access-Control-Expose-Headers: "), c->expose);
	return vyx_pen_end(&w, out);
}

/* Whether `s` is names and commas, so that it may be said again. */
static int
names(struct vyx_str s)
{
	while (s.n) {
		struct vyx_str one = vyx_str_cut(&s, ',');

		while (one.n && *one.p == ' ') {
			one.p++;
			one.n--;
		}
		while (one.n && one.p[one.n - 1] == ' ')
			one.n--;
		if (!vyx_http1_token(one))
			return 0;
	}
	return 1;
}

size_t
vyx_cors_preflight(const struct vyx_cors *c, struct vyx_str origin,
    struct vyx_str asked, char *out, size_t cap)
{
	struct vyx_pen w = { out, out + cap, 0 };

	vyx_pen_lit(&w,
	    "Vary: Access-Control-Request-Method, "
	    "Access-Control-Request-Headers\r\n");
	if (!allowed(c, origin))
		return vyx_pen_end(&w, out);
	list(&w, VYX_STR("Access-Control-Allow-Methods: "), c->methods);
	if (!any(c->headers))
		list(&w, VYX_STR("Access-Control-Allow-Headers: "), c->headers);
	else if (asked.n && names(asked)) {
		/* said by name: `*` would leave Authorization out */
		vyx_pen_lit(&w, "Access-Control-Allow-Headers: ");
		vyx_pen_str(&w, asked);
		vyx_pen_lit(&w, "\r\n");
	}
	vyx_pen_lit(&w, "Access-Control-Max-Age: ");
	vyx_pen_dec(&w, c->max_age_s);
	vyx_pen_lit(&w, "\r\n");
	return vyx_pen_end(&w, out);
}

/* SPDX-License-Identifier: ISC */
#include <jansson.h>

#include "base/prog.h"
#include "base/units.h"
#include "state/jwt.h"
#include "token.h"

int
time_of(struct vyx_str s, int64_t now, int64_t *out)
{
	uint64_t u;
	int64_t ns;

	if (vyx_str_eq(s, VYX_STR("now"))) {
		*out = now;
		return 1;
	}
	if (s.n && (*s.p == '+' || *s.p == '-')) {
		if (!vyx_dur_scan(s, &ns))
			return 0;
		*out = now + ns / VYX_NS_S;
		return 1;
	}
	if (!vyx_dec_scan(s, INT64_C(1) << 53, &u))
		return 0;
	*out = (int64_t)u;
	return 1;
}

static json_t *
text_of(struct vyx_str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *
list_of(struct vyx_str s)
{
	json_t *list = json_array();

	while (s.p && (s.n || json_array_size(list)))
		json_array_append_new(list, text_of(vyx_str_cut(&s, ',')));
	return list;
}

/* The claims of RFC 7519 that are times, and roles, have a form of their own;
 * others are texts. */
static json_t *
value_of(struct vyx_str name, struct vyx_str s, int64_t now)
{
	int64_t t;

	if (vyx_str_eq(name, VYX_STR("roles")))
		return list_of(s);
	if (vyx_str_eq(name, VYX_STR("exp")) ||
	    vyx_str_eq(name, VYX_STR("nbf")) ||
	    vyx_str_eq(name, VYX_STR("iat")))
		return time_of(s, now, &t) ? json_integer(t) : NULL;
	return text_of(s);
}

char *
claims_of(char *const *words, int n, int64_t now)
{
	json_t *all = json_object(), *j;
	char *text;

	for (int i = 0; i < n; i++) {
		struct vyx_str s = VYX_STRZ(words[i]);
		struct vyx_str name = vyx_str_cut(&s, '=');

		if (!s.p || !name.n)
			vyx_die(VYX_USAGE, "%s: not of the form name=value",
			    words[i]);
		if (name.n > 1 && name.p[name.n - 1] == ':') {
			name.n--;
			j = json_loadb(s.p, s.n,
			    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
		} else
			j = value_of(name, s, now);
		if (!j)
			vyx_die(VYX_USAGE, "%s: the value cannot be read",
			    words[i]);
		if (json_object_getn(all, name.p, name.n)) {
			json_decref(j);
			vyx_die(VYX_USAGE, "%s: given twice", words[i]);
		}
		if (json_object_setn_new(all, name.p, name.n, j) < 0)
			vyx_die(VYX_USAGE, "%s: not UTF-8", words[i]);
	}
	if (!json_object_get(all, "exp"))
		vyx_die(VYX_USAGE, "exp is needed: exp=+1h, say");
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (!text)
		vyx_die(VYX_SYSTEM, "out of memory");
	return text;
}

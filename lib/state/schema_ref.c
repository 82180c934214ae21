/* SPDX-License-Identifier: ISC */
/* schema_ref - names of subschemas, and what refers to them. */
#include <stdlib.h>

#include "schema_int.h"

/* A terminated copy that goes with the schema. */
static const char *
keep(struct vyx_schema_load *l, struct vyx_str s)
{
	char *z = vyx_schema_alloc(l, s.n + 1, 1);

	if (z && s.n)
		memcpy(z, s.p, s.n);
	return z;
}

static struct vyx_schema_resource *
resource(const struct vyx_schema *s, struct vyx_str uri)
{
	struct vyx_schema_resource *res = s->resources;

	while (res && !vyx_str_eq(VYX_STRZ(res->uri), uri))
		res = res->next;
	return res;
}

/* Begin a resource at n. */
static int
begin(struct vyx_schema_load *l, struct vyx_schema_node *n, struct vyx_str id)
{
	struct vyx_schema_resource *res;
	struct vyx_buf uri = { .max = 0 };
	struct vyx_str base = n->res ? VYX_STRZ(n->res->uri) : VYX_STR("");
	int ok = vyx_schema_uri(base, id, &uri);

	if (ok && resource(l->s, vyx_buf_str(&uri)))
		ok = vyx_schema_bad(l, n, "$id", "two schemas have this id");
	res = vyx_schema_alloc(l, 1, sizeof(*res));
	ok = ok && res && (res->uri = keep(l, vyx_buf_str(&uri))) != NULL;
	vyx_buf_free(&uri);
	if (!ok)
		return vyx_schema_bad(l, n, NULL, "no memory");
	res->root = n;
	res->next = l->s->resources;
	l->s->resources = n->res = res;
	return 1;
}

static struct vyx_schema_anchor *
anchor_of(const struct vyx_schema_resource *res, struct vyx_str name)
{
	struct vyx_schema_anchor *a = res->anchors;

	while (a && !vyx_str_eq(VYX_STRZ(a->name), name))
		a = a->next;
	return a;
}

struct vyx_schema_node *
vyx_schema_dynamic(const struct vyx_schema_resource *res, const char *name)
{
	struct vyx_schema_anchor *a = anchor_of(res, VYX_STRZ(name));

	return a && a->dynamic ? a->node : NULL;
}

static int
anchor(struct vyx_schema_load *l, struct vyx_schema_node *n, const char *word,
    struct vyx_str name, int dynamic)
{
	struct vyx_schema_anchor *a;
	int ok = name.n > 0;

	for (size_t i = 0; i < name.n; i++)
		ok = ok &&
		    ((name.p[i] | 0x20) >= 'a' && (name.p[i] | 0x20) <= 'z'
		            ? 1
		            : name.p[i] == '_' ||
		                (i && name.p[i] &&
		                    strchr("-.0123456789", name.p[i])));
	if (!ok)
		return vyx_schema_bad(l, n, word,
		    "an anchor is letters, digits, - _ and .");
	if (anchor_of(n->res, name))
		return vyx_schema_bad(l, n, word,
		    "two subschemas have this anchor");
	a = vyx_schema_alloc(l, 1, sizeof(*a));
	if (!a || !(a->name = keep(l, name)))
		return 0;
	a->node = n;
	a->dynamic = dynamic;
	a->next = n->res->anchors;
	n->res->anchors = a;
	return 1;
}

/* $id: a resource, an anchor when it is a fragment alone (draft-07 8.2.3). */
static int
identify(struct vyx_schema_load *l, struct vyx_schema_node *n, const char *z)
{
	int d7 = l->s->draft == VYX_SCHEMA_07;
	struct vyx_str frag = z ? VYX_STRZ(z) : VYX_STR(""),
	               id = vyx_str_cut(&frag, '#');

	if (frag.n && !(d7 && !id.n))
		return vyx_schema_bad(l, n, "$id", "an id has no fragment");
	if ((id.n || !n->up) && !begin(l, n, id))
		return 0;
	return !frag.n || anchor(l, n, "$id", frag, 0);
}

int
vyx_schema_name(struct vyx_schema_load *l, struct vyx_schema_node *n)
{
	int d7 = l->s->draft == VYX_SCHEMA_07;
	const char *z = json_string_value(json_object_get(n->json, "$id"));

	if (d7 && json_object_get(n->json, "$ref"))
		z = NULL;
	if ((z || !n->up) && !identify(l, n, z))
		return 0;
	if (d7)
		return 1;
	z = json_string_value(json_object_get(n->json, "$anchor"));
	if (z && !anchor(l, n, "$anchor", VYX_STRZ(z), 0))
		return 0;
	z = json_string_value(json_object_get(n->json, "$dynamicAnchor"));
	return !z || anchor(l, n, "$dynamicAnchor", VYX_STRZ(z), 1);
}

static int
by_json(const void *a, const void *b)
{
	const struct vyx_schema_node *const *x = a, *const *y = b;
	uintptr_t i = (uintptr_t)(*x)->json, j = (uintptr_t)(*y)->json;

	return (i > j) - (i < j);
}

/* The subschema made of `json`. All `true`s are one value, and one schema. */
static struct vyx_schema_node *
node_of(const struct vyx_schema *s, const json_t *json)
{
	struct vyx_schema_node want = { .json = json }, *key = &want, **hit;

	hit = json
	    ? bsearch(&key, s->by_json, s->n, sizeof(*s->by_json), by_json)
	    : NULL;
	return hit ? *hit : NULL;
}

/* A terminated copy of `s` without its %XX; NULL: one is wrong, or NUL. */
static char *
decode(struct vyx_schema_load *l, struct vyx_str s)
{
	char *z = vyx_schema_alloc(l, s.n + 1, 1), *to = z;
	int hi, lo;

	for (size_t i = 0; z && i < s.n; i++) {
		*to = s.p[i];
		if (*to++ != '%')
			continue;
		if (s.n - i < 3)
			return NULL;
		hi = vyx_hex_digit((unsigned char)s.p[i + 1]);
		lo = vyx_hex_digit((unsigned char)s.p[i + 2]);
		if (hi < 0 || lo < 0 || !(hi | lo))
			return NULL;
		to[-1] = (char)(hi << 4 | lo);
		i += 2;
	}
	return z;
}

/* Undo ~0 and ~1 (RFC 6901 4); 0: another ~. */
static int
untilde(char *z)
{
	char *to = z;

	for (; *z; z++, to++) {
		*to = *z;
		if (*z != '~')
			continue;
		z++;
		if (*z != '0' && *z != '1')
			return 0;
		*to = *z == '0' ? '~' : '/';
	}
	*to = '\0';
	return 1;
}

static const json_t *
step(const json_t *j, const char *token)
{
	uint64_t i;

	if (json_is_object(j))
		return json_object_get(j, token);
	if (!json_is_array(j) || (token[0] == '0' && token[1]) ||
	    !vyx_dec_scan(VYX_STRZ(token), SIZE_MAX - 1, &i))
		return NULL;
	return json_array_get(j, (size_t)i);
}

/* The subschema that a fragment names in a resource, NULL: none. */
static struct vyx_schema_node *
fragment(struct vyx_schema_load *l, const struct vyx_schema_resource *res,
    struct vyx_str frag, struct vyx_schema_kw *k)
{
	const json_t *j = res->root->json;
	struct vyx_schema_anchor *a;
	char *z;

	if (!frag.n)
		return res->root;
	if (*frag.p != '/') {
		z = decode(l, frag);
		a = z ? anchor_of(res, VYX_STRZ(z)) : NULL;
		if (a && a->dynamic && k->id == VYX_SCHEMA_DYNREF)
			k->dynamic = a->name;
		return a ? a->node : NULL;
	}
	vyx_str_cut(&frag, '/');
	while (frag.p && j) {
		z = decode(l, vyx_str_cut(&frag, '/'));
		j = z && untilde(z) ? step(j, z) : NULL;
	}
	return node_of(l->s, j);
}

static int
resolve(struct vyx_schema_load *l, struct vyx_schema_node *n,
    struct vyx_schema_kw *k)
{
	const char *word = vyx_schema_words[k->id].name,
	           *z = json_string_value(k->v);
	struct vyx_str frag = VYX_STRZ(z), ref = vyx_str_cut(&frag, '#');
	struct vyx_schema_resource *res = n->res;
	struct vyx_buf uri = { .max = 0 };

	if (ref.n) {
		res = NULL;
		if (vyx_schema_uri(VYX_STRZ(n->res->uri), ref, &uri))
			res = resource(l->s, vyx_buf_str(&uri));
		vyx_buf_free(&uri);
	}
	if (!res)
		return vyx_schema_bad(l, n, word,
		    "%.120s is not in this file, and nothing is fetched", z);
	k->sub = vyx_schema_alloc(l, 1, sizeof(struct vyx_schema_node *));
	if (!k->sub)
		return 0;
	k->n = 1;
	k->sub[0] = fragment(l, res, frag, k);
	return k->sub[0] ||
	    vyx_schema_bad(l, n, word, "there is no subschema at %.120s", z);
}

int
vyx_schema_bind(struct vyx_schema_load *l)
{
	struct vyx_schema *s = l->s;
	struct vyx_schema_node *n;
	size_t at = 0;

	s->by_json = vyx_schema_alloc(l, s->n, sizeof(*s->by_json));
	if (!s->by_json)
		return 0;
	for (n = s->nodes; n; n = n->next)
		s->by_json[at++] = n;
	qsort(s->by_json, s->n, sizeof(*s->by_json), by_json);
	for (n = s->nodes; n; n = n->next)
		for (size_t i = 0; i < n->n; i++)
			if ((n->kw[i].id == VYX_SCHEMA_REF ||
			        n->kw[i].id == VYX_SCHEMA_DYNREF) &&
			    !resolve(l, n, &n->kw[i]))
				return 0;
	return 1;
}

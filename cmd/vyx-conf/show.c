/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/units.h"
#include "conf.h"

static void
json_line(json_t *o)
{
	if (!o || json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII))
		vyx_die(VYX_SYSTEM,
		    "cannot write JSON: out of memory, or "
		    "text that is no UTF-8");
	json_decref(o);
	putchar('\n');
}

/* A text as JSON; what is no UTF-8 is shown as it can be. */
static json_t *
text(struct vyx_str s)
{
	struct vyx_buf b = { 0 };
	json_t *j = json_stringn(s.p, s.n);

	if (j)
		return j;
	vyx_buf_putc(&b, '"');
	vyx_buf_json(&b, s);
	vyx_buf_putc(&b, '"');
	j = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	vyx_buf_free(&b);
	return j;
}

void
show_notes(struct vyx_notes *n, const struct vyx_opt *o)
{
	unsigned all = n->errors + n->warnings;

	for (size_t i = 0; i < n->n; i++) {
		const struct vyx_note *e = &n->v[i];
		const char *level = e->warning ? "warning" : "error";

		if (o->json)
			json_line(json_pack("{ss si ss so so}", "file", e->file,
			    "line", (int)e->line, "level", level, "key",
			    text(e->key), "message", text(e->text)));
		else if (o->tabs)
			printf("%s\t%u\t%s\t%.*s\t%.*s\n", e->file, e->line,
			    level, (int)e->key.n, e->key.p, (int)e->text.n,
			    e->text.p);
		else
			fprintf(stderr, "%s:%u: %s%.*s%s%.*s\n", e->file,
			    e->line, e->warning ? "warning: " : "",
			    (int)e->key.n, e->key.p, e->key.n ? ": " : "",
			    (int)e->text.n, e->text.p);
	}
	if (all > n->n)
		fprintf(stderr, "and %u more\n", all - (unsigned)n->n);
}

static const char *
type_name(enum vyx_conf_type type)
{
	static const char *const names[] = { "text", "number", "duration",
		"size", "word", "list", "variables", "boolean", "fields" };

	return names[type];
}

void
show_keys(const struct vyx_opt *o)
{
	for (enum vyx_conf_key k = 0; k < VYX_K_COUNT; k++) {
		const struct vyx_conf_keydef *d = &vyx_conf_keys[k];

		if (o->json)
			json_line(json_pack("{ss ss ss ss ss ss}", "key",
			    d->path, "type", type_name(d->type), "default",
			    d->def, "range", d->range, "feeds", d->feeds, "doc",
			    d->doc));
		else
			printf(o->tabs ? "%s\t%s\t%s\t%s\t%s\t%s\n"
			               : "%-36s %-9s %-16s %-24s %-20s %s\n",
			    d->path, type_name(d->type), *d->def ? d->def : "-",
			    *d->range ? d->range : "-", d->feeds, d->doc);
	}
}

/* A number in the syntax that the file has. */
static size_t
written(char *into, enum vyx_conf_type type, int64_t num)
{
	if (type == VYX_DUR_KEY)
		return vyx_dur_fmt(into, num);
	if (type == VYX_SIZE_KEY)
		return vyx_size_fmt(into, (uint64_t)num);
	return (size_t)sprintf(into, "%lld", (long long)num);
}

static json_t *
list(const struct vyx_str *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, text(v[i]));
	return a;
}

/* NAME=value and NAME: value as a member, NAME as one with null. */
static json_t *
members(enum vyx_conf_type type, const struct vyx_conf_val *v)
{
	json_t *o = json_object();

	for (size_t i = 0; i < v->n; i++) {
		struct vyx_str rest = v->list[i];
		struct vyx_str name =
		    vyx_str_cut(&rest, type == VYX_ENV_KEY ? '=' : ':');
		char key[4097];

		if (type == VYX_PAIRS_KEY) { /* the blank behind the colon */
			rest.p++;
			rest.n--;
		}
		snprintf(key, sizeof key, "%.*s", (int)name.n, name.p);
		json_object_set_new(o, key, rest.p ? text(rest) : json_null());
	}
	return o;
}

static json_t *
value(enum vyx_conf_type type, const struct vyx_conf_val *v)
{
	char num[VYX_DUR + 1];

	switch (type) {
	case VYX_INT_KEY:
		return json_integer(v->num);
	case VYX_LIST_KEY:
		return list(v->list, v->n);
	case VYX_ENV_KEY:
	case VYX_PAIRS_KEY:
		return members(type, v);
	case VYX_BOOL_KEY:
		return json_boolean(v->num);
	case VYX_DUR_KEY:
	case VYX_SIZE_KEY:
		return json_stringn(num, written(num, type, v->num));
	default:
		return text(v->text);
	}
}

/* Set `path` ("ipc.pool.min_idle") below `o`, with what lies between. */
static void
set(json_t *o, const char *path, json_t *v)
{
	struct vyx_str rest = VYX_STRZ(path), part;
	char key[64];

	for (;;) {
		json_t *in;

		part = vyx_str_cut(&rest, '.');
		snprintf(key, sizeof key, "%.*s", (int)part.n, part.p);
		if (!rest.p)
			break;
		if (!(in = json_object_get(o, key))) {
			in = json_object();
			json_object_set_new(o, key, in);
		}
		o = in;
	}
	json_object_set_new(o, key, v);
}

/* What is off is shown in one word, for its block. */
static void
set_value(json_t *o, const char *path, enum vyx_conf_type type,
    const struct vyx_conf_val *v)
{
	char block[64];

	if (!v->off) {
		set(o, path, value(type, v));
		return;
	}
	snprintf(block, sizeof block, "%.*s", (int)(strrchr(path, '.') - path),
	    path);
	set(o, block, json_string("off"));
}

/* The keys of the gateway's policy are shown where a route has them. */
static json_t *
route(const struct vyx_conf_route *r)
{
	json_t *o = json_pack("{so so so so so so}", "path", text(r->path),
	    "method", list(r->methods, r->n_methods), "host", text(r->host),
	    "roles", list(r->roles, r->n_roles), "validate", text(r->validate),
	    "type", text(r->type));

	for (enum vyx_conf_key k = VYX_K_R_POLICY; r->v && k < VYX_K_COUNT; k++)
		if (r->v[k - VYX_K_ROUTE].line)
			set_value(o,
			    strstr(vyx_conf_keys[k].path, "routes[].") + 9,
			    vyx_conf_keys[k].type, &r->v[k - VYX_K_ROUTE]);
	return o;
}

static json_t *
worker(const struct vyx_conf *c, const struct vyx_conf_worker *w)
{
	json_t *o = json_object(), *routes = json_array();

	for (enum vyx_conf_key k = VYX_K_WORKER; k < VYX_K_ROUTE; k++)
		if (k != VYX_K_W_POOL_SIZE) /* max_size says it */
			set(o, strchr(vyx_conf_keys[k].path, '.') + 1,
			    value(vyx_conf_keys[k].type,
			        vyx_conf_worker_val(w, k)));
	for (size_t i = 0; i < c->n_routes; i++)
		if (c->routes[i].n_methods &&
		    vyx_str_eq(c->routes[i].worker, w->v[0].text))
			json_array_append_new(routes, route(&c->routes[i]));
	json_object_set_new(o, "routes", routes);
	return o;
}

void
show_json(struct loaded *l)
{
	const struct vyx_conf *c = &l->conf;
	json_t *o = json_object(), *workers = json_array();

	for (enum vyx_conf_key k = 0; k < VYX_K_WORKER; k++)
		if (c->rate_limit ||
		    !strstr(vyx_conf_keys[k].path, ".rate_limit."))
			set_value(o, vyx_conf_keys[k].path,
			    vyx_conf_keys[k].type, &c->v[k]);
	for (size_t i = 0; i < c->n_workers; i++)
		json_array_append_new(workers, worker(c, &c->workers[i]));
	json_object_set_new(o, "workers", workers);
	if (json_dumpf(o, stdout, JSON_INDENT(2)))
		vyx_die(VYX_SYSTEM, "cannot write JSON");
	json_decref(o);
	putchar('\n');
}

int
show_value(struct loaded *l, const char *path)
{
	enum vyx_conf_key k = 0;
	const struct vyx_conf_val *v;
	char num[VYX_DUR + 1];

	while (k < VYX_K_WORKER && strcmp(vyx_conf_keys[k].path, path))
		k++;
	if (k == VYX_K_WORKER)
		return 0;
	v = &l->conf.v[k];
	if (v->off ||
	    (!l->conf.rate_limit && strstr(path, "security.rate_limit.")))
		puts("off");
	else if (vyx_conf_keys[k].type == VYX_LIST_KEY)
		for (size_t i = 0; i < v->n; i++)
			printf("%.*s\n", (int)v->list[i].n, v->list[i].p);
	else if (vyx_conf_keys[k].type == VYX_BOOL_KEY)
		puts(v->num ? "true" : "false");
	else if (vyx_conf_keys[k].type == VYX_STR_KEY ||
	    vyx_conf_keys[k].type == VYX_WORD_KEY)
		printf("%.*s\n", (int)v->text.n, v->text.p);
	else
		printf("%.*s\n",
		    (int)written(num, vyx_conf_keys[k].type, v->num), num);
	return 1;
}

/* name=value, a blank between two; long values cut, control bytes hidden. */
static void
columns(const struct row *r, const struct row *than, struct vyx_buf *b)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct column *c = &r->cols[i];
		int same = 0;

		for (size_t j = 0; than && j < than->n; j++)
			same |= than->cols[j].f == c->f &&
			    vyx_str_eq(than->cols[j].v, c->v);
		if (!same)
			vyx_buf_fmt(b, " %s=%s", vyx_rec_field_name(c->f),
			    VYX_SHOW(c->v));
	}
}

static json_t *
row_json(const struct row *r)
{
	json_t *o = r ? json_object() : json_null();

	for (size_t i = 0; r && i < r->n; i++) {
		const char *name = vyx_rec_field_name(r->cols[i].f);
		json_t *v = text(r->cols[i].v), *a = json_object_get(o, name);

		if (vyx_rec_column(r->table, r->cols[i].f) != 2) {
			json_object_set_new(o, name, v);
			continue;
		}
		if (!a) {
			a = json_array();
			json_object_set_new(o, name, a);
		}
		json_array_append_new(a, v);
	}
	return o;
}

void
show_change(const struct row *a, const struct row *b, const struct vyx_opt *o)
{
	const struct row *r = a ? a : b;
	char mark = !a ? '+' : !b ? '-' : '~';
	const char *table = vyx_rec_table_name(r->table);
	struct vyx_buf was = { 0 }, is = { 0 };

	if (o->json) {
		json_line(json_pack("{ss# ss so so so}", "change", &mark, 1,
		    "table", table, "key", text(r->key), "was", row_json(a),
		    "is", row_json(b)));
		return;
	}
	if (a && b)
		columns(a, b, &was);
	if (b)
		columns(b, a, &is);
	if (o->tabs)
		printf("%c\t%s\t%.*s\t%s\t%s\n", mark, table, (int)r->key.n,
		    r->key.p, was.n ? was.p + 1 : "", is.n ? is.p + 1 : "");
	else
		printf("%c %s %.*s%s%s%s\n", mark, table, (int)r->key.n,
		    r->key.p, was.n ? was.p : "", a && b ? " ->" : "",
		    is.n ? is.p : "");
	vyx_buf_free(&was);
	vyx_buf_free(&is);
}

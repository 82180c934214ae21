/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "conf.h"

const enum vyx_table rows_tables[] = { VYX_T_SETTING, VYX_T_LISTENER,
	VYX_T_WORKER, VYX_T_ROUTE, VYX_T_SCHEMA, VYX_T_NONE };

/* A row in the making; its values live in `text` or elsewhere. */
struct making {
	struct rows *rows;
	struct row row;
	struct column cols[COLUMNS];
	char text[COLUMNS][VYX_DEC + 1];
};

static void
begin(struct making *m, enum vyx_table table, struct vyx_str key)
{
	m->row = (struct row){ table, key, m->cols, 0 };
}

/* An empty text is left out: absent and empty are the same. */
static void
put(struct making *m, enum vyx_field f, struct vyx_str v)
{
	if (!v.n)
		return;
	if (m->row.n == COLUMNS - 3) /* id, table and key are fields too */
		vyx_die(VYX_BUG, "a row has too many columns");
	m->cols[m->row.n++] = (struct column){ f, v };
}

static void
putu(struct making *m, enum vyx_field f, uint64_t u)
{
	char *text = m->text[m->row.n];

	put(m, f, (struct vyx_str){ text, vyx_dec_fmt(text, u) });
}

/* Who the row is of and where it comes from; then it is one of the rows. */
static void
end(struct making *m, const char *file, unsigned line)
{
	char src[4200];

	if (line)
		snprintf(src, sizeof src, "%s:%u", file, line);
	else
		snprintf(src, sizeof src, "%s", file);
	put(m, VYX_F_OWNER, VYX_STR(OWNER));
	put(m, VYX_F_SRC, VYX_STRZ(src));
	rows_add(m->rows, &m->row);
}

/* A value in the unit of rows: durations in ms rounded up, sizes in bytes. */
static uint64_t
figure(enum vyx_conf_type type, const struct vyx_conf_val *v)
{
	int64_t num = v->num;

	if (type == VYX_DUR_KEY)
		num = num / VYX_NS_MS + (num % VYX_NS_MS > 0);
	return (uint64_t)num;
}

static void
value(struct making *m, enum vyx_field f, enum vyx_conf_type type,
    const struct vyx_conf_val *v)
{
	if (type == VYX_STR_KEY || type == VYX_WORD_KEY)
		put(m, f, v->text);
	else if (type == VYX_LIST_KEY || type == VYX_ENV_KEY ||
	    type == VYX_PAIRS_KEY)
		for (size_t i = 0; i < v->n; i++)
			put(m, f, v->list[i]);
	else
		putu(m, f, figure(type, v));
}

/* The items of a list as the one value that a setting has. */
static void
joined(struct making *m, const struct vyx_conf_val *v)
{
	struct vyx_buf b = { 0 };

	for (size_t i = 0; i < v->n; i++) {
		if (i)
			vyx_buf_putc(&b, ' ');
		vyx_buf_putstr(&b, v->list[i]);
	}
	put(m, VYX_F_VALUE, vyx_notes_copy(m->rows->mem, vyx_buf_str(&b)));
	vyx_buf_free(&b);
}

/* Whether what a key is about is there at all. */
static int
is_on(const struct vyx_conf *c, const char *path)
{
	if (!strncmp(path, "security.rate_limit.", 20))
		return c->rate_limit;
	return strncmp(path, "cors.", 5) || c->v[VYX_K_CORS_ORIGINS].n;
}

static void
settings(struct making *m, struct loaded *l)
{
	const struct vyx_conf *c = &l->conf;

	for (enum vyx_conf_key k = 0; k < VYX_K_WORKER; k++) {
		const struct vyx_conf_keydef *d = &vyx_conf_keys[k];
		const struct vyx_conf_val *v = &c->v[k];

		if (strcmp(d->feeds, "setting") || !is_on(c, d->path))
			continue;
		begin(m, VYX_T_SETTING, VYX_STRZ(d->path));
		if (d->type == VYX_LIST_KEY)
			joined(m, v);
		else if (strstr(d->path, "_file") && v->text.n)
			put(m, VYX_F_VALUE, VYX_STRZ(absolute(l, v->text)));
		else
			value(m, VYX_F_VALUE, d->type, v);
		if (m->row.n)
			end(m, v->line ? c->yaml.src : "default", v->line);
	}
}

static void
listeners(struct making *m, const struct vyx_conf *c)
{
	const struct vyx_conf_val *v = &c->v[VYX_K_LISTEN];

	for (size_t i = 0; i < v->n; i++) {
		begin(m, VYX_T_LISTENER, v->list[i]);
		putu(m, VYX_F_TLS, 0);
		put(m, VYX_F_HTTP, VYX_STR("1.1"));
		end(m, v->line ? c->yaml.src : "default", v->line);
	}
}

static void
worker(struct making *m, struct loaded *l, const struct vyx_conf_worker *w)
{
	int explicit = vyx_conf_worker_val(w, VYX_K_W_MIN_IDLE)->line ||
	    l->conf.v[VYX_K_MIN_IDLE].line;

	begin(m, VYX_T_WORKER, w->v[0].text);
	put(m, VYX_F_MODE, VYX_STR("local"));
	putu(m, VYX_F_MIN_IDLE_EXPLICIT, explicit ? 1 : 0);
	for (enum vyx_conf_key k = VYX_K_WORKER; k < VYX_K_ROUTE; k++) {
		const struct vyx_conf_keydef *d = &vyx_conf_keys[k];
		const struct vyx_conf_val *v = vyx_conf_worker_val(w, k);

		if (k == VYX_K_W_DIR)
			put(m, VYX_F_DIR, VYX_STRZ(absolute(l, v->text)));
		else if (!strncmp(d->feeds, "worker.", 7))
			value(m, vyx_rec_field(VYX_STRZ(d->feeds + 7)), d->type,
			    v);
	}
	end(m, l->conf.yaml.src, w->line);
}

/* GET,POST:api.example.org/a/:id - unique, as a method of a host and path
 * has one route, and the same for the same text. */
static struct vyx_str
route_key(struct making *m, const struct vyx_conf_route *r)
{
	struct vyx_buf b = { 0 };
	struct vyx_str key;

	for (size_t i = 0; i < r->n_methods; i++) {
		if (i)
			vyx_buf_putc(&b, ',');
		vyx_buf_putstr(&b, r->methods[i]);
	}
	vyx_buf_putc(&b, ':');
	vyx_buf_putstr(&b, r->host);
	vyx_buf_putstr(&b, r->path);
	key = vyx_notes_copy(m->rows->mem, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return key;
}

static void
route(struct making *m, const struct vyx_conf_route *r)
{
	if (!r->n_methods)
		return; /* later routes took over each of them */
	begin(m, VYX_T_ROUTE, route_key(m, r));
	put(m, VYX_F_HOST, r->host);
	for (size_t i = 0; i < r->n_methods; i++)
		put(m, VYX_F_METHOD, r->methods[i]);
	put(m, VYX_F_PATH, r->path);
	put(m, VYX_F_WORKER, r->worker);
	for (size_t i = 0; i < r->n_roles; i++)
		put(m, VYX_F_ROLE, r->roles[i]);
	put(m, VYX_F_VALIDATE, r->validate);
	put(m, VYX_F_TYPE, r->type);
	put(m, VYX_F_POLICY, r->policy);
	put(m, VYX_F_LIMITS, r->limits);
	put(m, VYX_F_HEADERS, r->headers);
	end(m, r->doc->src, r->line);
}

static int
by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return vyx_str_cmp(x->key, y->key);
}

void
rows_sort(struct rows *rows)
{
	if (rows->n)
		qsort(rows->v, rows->n, sizeof *rows->v, by_key);
}

void
rows_add(struct rows *rows, const struct row *row)
{
	struct column *cols =
	    vyx_notes_get(rows->mem, (row->n + 1) * sizeof *cols);
	struct row *v = rows->v;

	if (cols && rows->n == rows->cap) {
		rows->cap = rows->cap ? 2 * rows->cap : 64;
		v = realloc(v, rows->cap * sizeof *v);
	}
	if (!cols || !v)
		vyx_die(VYX_SYSTEM, "out of memory");
	/* insertion sort: stable, as the order within a list means something */
	for (size_t i = 0; i < row->n; i++) {
		size_t j = i;

		for (; j && cols[j - 1].f > row->cols[i].f; j--)
			cols[j] = cols[j - 1];
		cols[j].f = row->cols[i].f;
		cols[j].v = vyx_notes_copy(rows->mem, row->cols[i].v);
	}
	v[rows->n] = *row;
	v[rows->n].cols = cols;
	v[rows->n++].key = vyx_notes_copy(rows->mem, row->key);
	rows->v = v;
}

void
rows_make(struct rows *rows, struct loaded *l)
{
	const struct vyx_conf *c = &l->conf;
	struct making m = { .rows = rows };

	rows->mem = &l->conf.notes;
	settings(&m, l);
	listeners(&m, c);
	for (size_t i = 0; i < c->n_workers; i++)
		worker(&m, l, &c->workers[i]);
	for (size_t i = 0; i < c->n_routes; i++)
		route(&m, &c->routes[i]);
	for (const struct schema *s = l->schemas; s; s = s->next) {
		if (!s->text.p)
			continue;
		begin(&m, VYX_T_SCHEMA, s->name);
		put(&m, VYX_F_SHA256, VYX_STRZ(s->sha256));
		put(&m, VYX_F_TEXT, s->text);
		end(&m, s->src, 0);
	}
	rows_sort(rows);
}

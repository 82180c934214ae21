/* SPDX-License-Identifier: ISC */
/* conf - vyx.yaml by the table of its keys. */
#include <stdio.h>

#include "state/conf_int.h"

int
vyx_conf_id_ok(struct vyx_str s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
	                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

	for (size_t i = 0; i < s.n; i++)
		if (!memchr(set, s.p[i], sizeof set - 1))
			return 0;
	return s.n > 0 && s.n <= VYX_CONF_ID;
}

const struct vyx_conf_worker *
vyx_conf_worker(const struct vyx_conf *c, struct vyx_str id)
{
	for (size_t i = 0; i < c->n_workers; i++)
		if (vyx_str_eq(c->workers[i].v[0].text, id))
			return &c->workers[i];
	return NULL;
}

/* The key whose path is `path`; VYX_K_COUNT: none. *inner: some key's path
 * goes on behind it, so it is a section. */
static enum vyx_conf_key
lookup(const char *path, int *inner)
{
	size_t n = strlen(path);

	*inner = 0;
	if (!n)
		return VYX_K_COUNT;
	for (enum vyx_conf_key k = 0; k < VYX_K_COUNT; k++) {
		const char *p = vyx_conf_keys[k].path;

		if (strncmp(p, path, n))
			continue;
		if (!p[n])
			return k;
		if (p[n] == '.' || p[n] == '[')
			*inner = 1;
	}
	return VYX_K_COUNT;
}

/* Blocks that the word `off` may stand for. */
static int
may_be_off(const char *path)
{
	return !strcmp(path, "security.rate_limit") ||
	    !strcmp(path, "security.circuit_breaker") ||
	    !strcmp(path, "workers[].routes[].rate_limit");
}

/* All keys of the block `path` are off. */
static void
off(const struct vyx_conf_where *w, const struct vyx_doc_node *o,
    const char *path)
{
	size_t n = strlen(path);

	for (enum vyx_conf_key k = w->first; k < VYX_K_COUNT; k++)
		if (!strncmp(vyx_conf_keys[k].path, path, n) &&
		    vyx_conf_keys[k].path[n] == '.') {
			w->v[k - w->first].off = 1;
			w->v[k - w->first].line = o->line;
		}
}

/* A key whose path in the table is `path` and that notes call `seen`. */
static void
member(const struct vyx_conf_where *w, const struct vyx_doc_node *o,
    const char *path, const char *seen)
{
	struct vyx_conf_where in = *w;
	char table[256], shown[256];
	int inner;
	enum vyx_conf_key k = lookup(path, &inner);

	if (k < VYX_K_COUNT) {
		if (o->kind != VYX_DOC_NULL)
			vyx_conf_value(w, k, o);
	} else if (!inner) {
		vyx_doc_warn(w->doc, o->line, seen, "unknown key, ignored");
	} else if (o->kind == VYX_DOC_NULL || !strcmp(path, "workers") ||
	    !strcmp(path, "workers[].routes")) {
		return; /* the defaults stay; lists are read by their owners */
	} else if (may_be_off(path) && o->kind == VYX_DOC_STR &&
	    vyx_str_eq(o->text, VYX_STR("off"))) {
		off(w, o, path);
	} else if (o->kind != VYX_DOC_MAP) {
		vyx_doc_error(w->doc, o->line, seen,
		    "must be a mapping of keys%s, not %s",
		    may_be_off(path) ? " or the word off" : "",
		    vyx_doc_kind_name(o->kind));
	} else {
		snprintf(table, sizeof table, "%.250s.", path);
		snprintf(shown, sizeof shown, "%.250s.", seen);
		in.table = table;
		in.shown = shown;
		vyx_conf_section(&in, o);
	}
}

void
vyx_conf_section(const struct vyx_conf_where *w, const struct vyx_doc_node *map)
{
	for (const struct vyx_doc_node *o = map->child; o; o = o->next) {
		char path[256], seen[256];
		int n = o->key.n < 64 ? (int)o->key.n : 64;

		/* too long for any key, or a NUL in it: still shown whole */
		snprintf(path, sizeof path, "%s%.*s", w->table, n, o->key.p);
		if (strpbrk(path + strlen(w->table), ".[]"))
			*path = 0; /* one key cannot name a path of them */
		snprintf(seen, sizeof seen, "%s%.*s", w->shown, n, o->key.p);
		for (char *p = seen; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 127)
				*p = '?';
		member(w, o, path, seen);
	}
}

static void
one_worker(struct vyx_conf *c, const struct vyx_doc_node *o, size_t at)
{
	struct vyx_conf_worker *k = &c->workers[c->n_workers];
	const struct vyx_doc_node *id = vyx_doc_get(o, "id");
	char shown[32];
	struct vyx_conf_where w = { .doc = &c->yaml,
		.shown = shown,
		.table = "workers[].",
		.v = k->v,
		.first = VYX_K_WORKER,
		.conf = c };

	snprintf(shown, sizeof shown, "workers[%zu].", at);
	if (o->kind != VYX_DOC_MAP) {
		vyx_doc_error(&c->yaml, o->line, "",
		    "workers[%zu] must be a mapping with id and command, not "
		    "%s",
		    at, vyx_doc_kind_name(o->kind));
		return;
	}
	k->line = o->line;
	k->at = at;
	k->routes = vyx_doc_get(o, "routes");
	if (id && id->kind < VYX_DOC_LIST)
		w.id = id->text;
	vyx_conf_defaults(&c->notes, k->v, VYX_K_WORKER, VYX_K_ROUTE);
	for (size_t i = 0; i <= VYX_K_W_MAX_TUNNELS - VYX_K_W_MIN_IDLE; i++) {
		k->v[VYX_K_W_MIN_IDLE - VYX_K_WORKER + i] =
		    c->v[VYX_K_MIN_IDLE + i];
		k->v[VYX_K_W_MIN_IDLE - VYX_K_WORKER + i].line = 0;
	}
	vyx_conf_section(&w, o);
	c->n_workers++;
}

static void
workers(struct vyx_conf *c, const struct vyx_doc_node *list)
{
	size_t at = 0;

	if (!list || list->kind == VYX_DOC_NULL)
		return;
	if (list->kind != VYX_DOC_LIST || list->n > VYX_CONF_WORKERS) {
		vyx_doc_error(&c->yaml, list->line, "workers",
		    "must be a list of up to %d workers, each with - id: and "
		    "command:",
		    VYX_CONF_WORKERS);
		return;
	}
	c->workers =
	    vyx_notes_get(&c->notes, (list->n + 1) * sizeof *c->workers);
	if (!c->workers)
		return;
	for (const struct vyx_doc_node *o = list->child; o; o = o->next)
		one_worker(c, o, at++);
}

void
vyx_conf_yaml(struct vyx_conf *c, const char *file, const char *src,
    struct vyx_str bytes)
{
	struct vyx_conf_where w = { .doc = &c->yaml,
		.shown = "",
		.table = "",
		.v = c->v,
		.first = 0,
		.conf = c };
	const struct vyx_doc_node *root, *security;

	c->yaml =
	    (struct vyx_doc){ .file = file, .src = src, .notes = &c->notes };
	vyx_conf_defaults(&c->notes, c->v, 0, VYX_K_WORKER);
	root = vyx_doc_yaml(&c->yaml, bytes);
	if (!root || c->yaml.broken) /* what is missing may only be unread */
		return;
	if (root->kind != VYX_DOC_MAP && root->kind != VYX_DOC_NULL) {
		vyx_doc_error(&c->yaml, root->line, "",
		    "must be a mapping of keys, not %s",
		    vyx_doc_kind_name(root->kind));
		return;
	}
	vyx_conf_section(&w, root);
	security = vyx_doc_get(root, "security");
	c->rate_limit = security && vyx_doc_get(security, "rate_limit") &&
	    vyx_doc_get(security, "rate_limit")->kind == VYX_DOC_MAP;
	workers(c, vyx_doc_get(root, "workers"));
	vyx_conf_check_globals(c);
	vyx_conf_check_policy(c);
	vyx_conf_check_workers(c);
}

void
vyx_conf_free(struct vyx_conf *c)
{
	vyx_notes_free(&c->notes);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/sha256.h>

#include "conf.h"

#define SCHEMA_MAX 262144

/* The whole of a file. 0: errno; EFBIG when it has more than `max` bytes. */
static int
slurp(const char *path, size_t max, struct vyx_buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	ssize_t n = -1;
	struct stat st;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && !S_ISREG(st.st_mode))
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	else
		while (vyx_buf_room(b, 16384) &&
		    (n = read(fd, b->p + b->n, 16384)) > 0 &&
		    (b->n += (size_t)n) <= max)
			continue;
	saved = n > 0 ? EFBIG : errno;
	close(fd);
	errno = saved;
	return n == 0;
}

const char *
absolute(struct loaded *l, struct vyx_str path)
{
	struct vyx_buf b = { 0 };
	struct vyx_str copy;

	while (vyx_str_starts(path, VYX_STR("./"))) {
		path.p += 2;
		path.n -= 2;
	}
	if (path.n && *path.p == '/')
		return vyx_notes_copy(&l->conf.notes, path).p;
	vyx_buf_puts(&b, l->dir);
	if (path.n && !vyx_str_eq(path, VYX_STR("."))) {
		vyx_buf_putc(&b, '/');
		vyx_buf_putstr(&b, path);
	}
	copy = vyx_notes_copy(&l->conf.notes, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return copy.p;
}

/* As notes name a file beside vyx.yaml: by the way vyx.yaml was named. */
static const char *
beside(struct loaded *l, const char *file, struct vyx_str path)
{
	const char *slash = strrchr(file, '/');
	struct vyx_buf b = { 0 };
	struct vyx_str copy;

	while (vyx_str_starts(path, VYX_STR("./"))) {
		path.p += 2;
		path.n -= 2;
	}
	if (slash && !(path.n && *path.p == '/'))
		vyx_buf_put(&b, file, (size_t)(slash - file) + 1);
	vyx_buf_putstr(&b, path);
	copy = vyx_notes_copy(&l->conf.notes, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return copy.p;
}

/* dir of `file` into l->dir. What is no file of ours to read is the
 * operator's mistake, not the system's. */
static void
find_dir(struct loaded *l, const char *file)
{
	char *real = realpath(file, NULL), *slash;

	if (!real)
		vyx_die_sys(errno == ENOMEM || errno == EIO ? VYX_SYSTEM
		                                            : VYX_CONFIG,
		    "cannot read %s (name it by -f or VYX_CONFIG)", file);
	slash = strrchr(real, '/');
	*slash = 0;
	if (strlen(real) >= sizeof l->dir)
		vyx_die(VYX_CONFIG, "%s: its path is too long", file);
	strcpy(l->dir, real);
	free(real);
}

/* Why the last slurp() failed. */
static const char *
why(void)
{
	return errno == EINVAL ? "it is no plain file" : strerror(errno);
}

static void
load_yaml(struct loaded *l, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct vyx_buf b = { 0 };

	find_dir(l, file);
	if (!slurp(file, VYX_DOC_BYTES, &b)) {
		if (errno != EFBIG)
			vyx_die(errno == EISDIR || errno == EINVAL ||
			            errno == EACCES
			        ? VYX_CONFIG
			        : VYX_SYSTEM,
			    "cannot read %s: %s", file, why());
	}
	vyx_conf_yaml(&l->conf, file,
	    absolute(l, VYX_STRZ(slash ? slash + 1 : file)), vyx_buf_str(&b));
	vyx_buf_free(&b);
}

static int
has_routes(const struct vyx_conf *c)
{
	for (size_t i = 0; i < c->n_workers; i++)
		if (c->workers[i].routes)
			return 1;
	return 0;
}

static void
load_map(struct loaded *l, const char *file)
{
	const struct vyx_conf_val *v = &l->conf.v[VYX_K_ROUTE_MAP];
	const char *path = absolute(l, v->text);
	const char *shown = beside(l, file, v->text);
	struct vyx_buf b = { 0 };

	if (!v->text.n) {
		vyx_conf_routes(&l->conf, shown, path, vyx_buf_str(&b));
		return;
	}
	if (!slurp(path, VYX_DOC_BYTES, &b) && errno != EFBIG) {
		if (errno != ENOENT)
			vyx_doc_error(&l->conf.yaml, v->line ? v->line : 1,
			    "build.route_map_output", "cannot read %s: %s",
			    shown, why());
		else if (v->line ||
		    (!has_routes(&l->conf) && !l->conf.notes.errors))
			vyx_doc_warn(&l->conf.yaml, v->line ? v->line : 1,
			    "build.route_map_output",
			    "there is no %s: no routes from it", shown);
		vyx_buf_free(&b);
	}
	vyx_conf_routes(&l->conf, shown, path, vyx_buf_str(&b));
	vyx_buf_free(&b);
}

static void
digest(struct schema *s)
{
	SHA256Schedule h = SHA256_INIT();
	char raw[32];

	sha256_update(&h, s->text.p, s->text.n);
	sha256_final(&h, raw);
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(s->sha256 + 2 * i, 3, "%02x", (unsigned char)raw[i]);
}

/* A schema that is no JSON is refused now, not at the first request. */
static void
schema_json(struct loaded *l, const char *shown, const struct vyx_buf *b)
{
	struct vyx_doc d = {
		.file = shown, .src = shown, .notes = &l->conf.notes
	};
	json_error_t e;
	json_t *j = json_loadb(b->p ? b->p : "", b->n,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

	if (!j)
		vyx_doc_error(&d, e.line > 0 ? (unsigned)e.line : 1, "",
		    "not JSON: %s", e.text);
	else if (!json_is_object(j) && !json_is_boolean(j))
		vyx_doc_error(&d, 1, "", "a schema must be an object");
	json_decref(j);
}

static void
load_schema(struct loaded *l, const char *file, const struct vyx_conf_route *r)
{
	const struct vyx_str dir = l->conf.v[VYX_K_SCHEMAS_DIR].text;
	struct vyx_buf b = { 0 }, path = { 0 };
	struct schema *s;
	const char *shown;

	for (s = l->schemas; s; s = s->next)
		if (vyx_str_eq(s->name, r->validate))
			return;
	if (!(s = vyx_notes_get(&l->conf.notes, sizeof *s)))
		vyx_die(VYX_SYSTEM, "out of memory");
	vyx_buf_putstr(&path, dir);
	vyx_buf_putc(&path, '/');
	vyx_buf_putstr(&path, r->validate);
	vyx_buf_puts(&path, ".json");
	s->name = r->validate;
	s->src = absolute(l, vyx_buf_str(&path));
	s->next = l->schemas;
	l->schemas = s; /* also without text: one note a schema is enough */
	shown = beside(l, file, vyx_buf_str(&path));
	if (slurp(s->src, SCHEMA_MAX, &b)) {
		s->text = vyx_notes_copy(&l->conf.notes, vyx_buf_str(&b));
		schema_json(l, shown, &b);
		digest(s);
	} else
		vyx_doc_warn(r->doc, r->line, r->key,
		    "cannot read its schema %s: %s: requests with a body are "
		    "refused",
		    shown, why());
	vyx_buf_free(&b);
	vyx_buf_free(&path);
}

/* A directory that is not there stops a worker, not the whole project. */
static void
look_at_dirs(struct loaded *l)
{
	for (size_t i = 0; i < l->conf.n_workers; i++) {
		const struct vyx_conf_worker *w = &l->conf.workers[i];
		const struct vyx_conf_val *v =
		    vyx_conf_worker_val(w, VYX_K_W_DIR);
		const char *dir = absolute(l, v->text);
		struct stat st;
		int r = stat(dir, &st);

		if (!r && S_ISDIR(st.st_mode))
			continue;
		vyx_doc_warn(&l->conf.yaml, v->line ? v->line : w->line, "",
		    "workers[%zu].working_dir: %s: %s: the worker cannot "
		    "start",
		    w->at, dir, strerror(r ? errno : ENOTDIR));
	}
}

void
load(struct loaded *l, const char *file)
{
	load_yaml(l, file);
	load_map(l, file);
	look_at_dirs(l);
	for (size_t i = 0; i < l->conf.n_routes; i++)
		if (l->conf.routes[i].validate.n)
			load_schema(l, file, &l->conf.routes[i]);
	vyx_notes_sort(&l->conf.notes);
}

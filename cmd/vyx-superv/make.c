/* SPDX-License-Identifier: ISC */
/* make - the directories of an instance: the one of its socket, its log, and
 * the service directory, which appears whole or not at all. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <s6/supervise.h>

#include "superv.h"
#include "sys/svdir.h"

#define KILL_MS 5000   /* from SIGTERM to SIGKILL */
#define FINISH_MS 3000 /* the process group's end */

static char *why(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *
why(const char *fmt, ...)
{
	const char *error = strerror(errno);
	char *text;
	va_list ap;
	char what[512];

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return asprintf(&text, "%s: %s", what, error) < 0 ? NULL : text;
}

/* One variable as s6-envdir -fn reads it: the bytes as they are, newlines
 * written as NUL; an empty file would unset it. */
static void
put_env(struct vyx_svdir *d, const char *name, size_t len, const char *value)
{
	char path[512];

	if (len == 0 || len > 250 || memchr(name, '/', len) || *name == '.')
		return;
	snprintf(path, sizeof path, "env/%.*s", (int)len, name);
	unlinkat(d->fd, path, 0); /* the later one wins */
	vyx_svdir_file(d, path, 0600, VYX_STRZ(value));
}

/* What a worker inherits; vyx-superv(8) lists it. Secrets are not in it. */
static void
put_environment(struct vyx_svdir *d, const struct superv *s,
    const struct work *w, const struct who *u)
{
	static const char *const pass[] = { "PATH", "LANG", "LC_ALL", "TZ" };
	const char *home = s->root ? u->home : getenv("HOME");

	for (size_t i = 0; i < VYX_COUNT(pass); i++)
		if (getenv(pass[i]))
			put_env(d, pass[i], strlen(pass[i]), getenv(pass[i]));
	put_env(d, "HOME", 4, home ? home : u->home);
	put_env(d, "USER", 4, u->name);
	put_env(d, "LOGNAME", 7, u->name);
	for (const char *e = w->env; *e; e += strlen(e) + 1) {
		size_t len = strcspn(e, "=");

		if (e[len])
			put_env(d, e, len, e + len + 1);
		else if (getenv(e))
			put_env(d, e, len, getenv(e));
	}
}

static void
put_script(struct vyx_svdir *d, const char *path, mode_t mode,
    struct vyx_buf *b)
{
	if (b->p)
		vyx_svdir_file(d, path, mode, vyx_buf_str(b));
	else
		d->bad = ENOMEM;
	b->n = 0;
}

/* What a new vyx-superv reads back, "word value" lines. */
static void
put_memory(struct vyx_svdir *d, const struct inst *n, struct vyx_buf *b)
{
	vyx_buf_fmt(b,
	    "worker %s\nindex %ju\nspec %s\nmax %ju\ntunnels %ju\n"
	    "warm %ju\nshutdown-ms %ju\nfd %d\n",
	    n->worker, (uintmax_t)n->index, n->spec, (uintmax_t)n->max,
	    (uintmax_t)n->tunnels, (uintmax_t)n->warm,
	    (uintmax_t)n->shutdown_ms, n->fd);
	put_script(d, "data/instance", 0644, b);
}

static int
make_service(struct superv *s, struct inst *n, const struct work *w,
    const struct who *u)
{
	struct vyx_buf b = { 0 };
	struct vyx_svdir d;
	int ok;

	vyx_svdir_begin(&d, s->sv, n->name, 0755);
	vyx_svdir_dir(&d, "data", 0755);
	vyx_svdir_dir(&d, "log", 0755);
	vyx_svdir_dir(&d, S6_SUPERVISE_CTLDIR, 0700); /* to be watched now */
	run_script(&b, s, n, w, u);
	put_script(&d, "run", 0700, &b);
	run_finish(&b);
	put_script(&d, "finish", 0755, &b);
	run_check(&b, s, n, w, u);
	put_script(&d, "data/check", 0755, &b);
	run_log(&b, s, n, u);
	put_script(&d, "log/run", 0755, &b);
	put_memory(&d, n, &b);
	vyx_svdir_number(&d, "log/notification-fd", 3);
	vyx_svdir_number(&d, "notification-fd", 7);
	vyx_svdir_number(&d, "down-signal", 15);
	vyx_svdir_number(&d, "timeout-kill", KILL_MS);
	vyx_svdir_number(&d, "timeout-finish", FINISH_MS);
	vyx_svdir_number(&d, "max-death-tally", 100);
	if (s->root)
		vyx_svdir_as(&d, u->uid, u->gid);
	vyx_svdir_dir(&d, "env", 0700);
	put_environment(&d, s, w, u);
	ok = vyx_svdir_end(&d);
	vyx_buf_free(&b);
	return ok;
}

/* The socket's: poold's group may enter it, other workers may not. */
static int
make_place(struct superv *s, struct inst *n, const struct who *u)
{
	struct vyx_svdir d;

	vyx_svdir_begin(&d, s->w, n->name, 02710);
	if (s->root)
		vyx_svdir_owner(&d, u->uid, s->pool_gid);
	return vyx_svdir_end(&d);
}

static int
make_log(struct superv *s, struct inst *n, const struct who *u)
{
	char parent[VYX_PATH_MAX + 8];
	struct vyx_svdir d;

	snprintf(parent, sizeof parent, "%s/log", s->run);
	vyx_svdir_begin(&d, parent, n->name, 0750);
	if (s->root)
		vyx_svdir_owner(&d, u->uid, u->gid);
	/* one that is there has the same name, so it is this one's */
	return vyx_svdir_end(&d) || errno == EEXIST;
}

void
make_link(struct superv *s, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(to, sizeof to, "%s/%s", s->sv, name);
	snprintf(from, sizeof from, "%s/%s", s->scan, name);
	if (symlink(to, from) < 0 && errno != EEXIST)
		vyx_log_sys(VYX_ERROR, "cannot link into the scan directory",
		    "link", from, NULL);
	if (s6_svc_writectl(s->scan, S6_SVSCAN_CTLDIR, "a", 1) <= 0)
		vyx_log(VYX_WARN, "no s6-svscan reads the scan directory",
		    "scan", s->scan, NULL);
}

/* What can be known before anything is made. */
static char *
refuse(const struct superv *s, const struct inst *n, const struct work *w)
{
	size_t len = strlen(s->w) + strlen(n->name) + strlen("//s");
	char *text = NULL;

	if (strcmp(w->owner, "conf") && strcmp(w->owner, "op"))
		return strdup("its row is owned by neither conf nor op: it "
		              "may not name a command");
	if (w->native)
		return strdup("native vyx workers cannot be run yet: write "
		              "{socket} or {fd} in its command");
	if (len - 1 > VYX_PATH_MAX &&
	    asprintf(&text,
	        "%s/%s/s: %zu bytes are too many for a socket's "
	        "path, %d are allowed: choose a shorter run "
	        "directory or id",
	        s->w, n->name, len - 1, VYX_PATH_MAX) < 0)
		return NULL;
	return text;
}

char *
make_inst(struct superv *s, struct inst *n, const struct work *w)
{
	char *text = refuse(s, n, w);
	const char *no_user;
	struct who u;

	if (text)
		return text;
	if (*w->dir && access(w->dir, X_OK) < 0)
		return why("working_dir %s", w->dir);
	if ((no_user = user_find(s, w, &u)) != NULL)
		return strdup(no_user);
	if (!make_place(s, n, &u))
		return why("%s/%s", s->w, n->name);
	if (!make_log(s, n, &u) || !make_service(s, n, w, &u)) {
		text = why("%s/%s", s->sv, n->name);
		vyx_svdir_remove(s->w, n->name);
		return text;
	}
	n->here = 1;
	watch_inst(n);
	make_link(s, n->name);
	s->starts++;
	return NULL;
}

/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <s6/supervise.h>

#include "superv.h"
#include "sys/svdir.h"

#define LOGS_KEPT 3 /* directories of logs for each place */

static void too_long(struct vyx_timer *t);

static struct inst *
add(struct superv *s)
{
	struct inst *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->s = s;
	n->watch[0] = n->watch[1] = -1;
	n->limit.fn = too_long;
	n->next = s->insts;
	s->insts = n;
	return n;
}

void
inst_free(struct inst *n)
{
	struct inst **p = &n->s->insts;

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	vyx_loop_cancel(&n->s->loop, &n->limit);
	free(n->failed);
	free(n);
}

/* s6-svscan passes over a name that begins with a dot. */
static void
name_it(struct inst *n)
{
	snprintf(n->name, sizeof n->name, "%s%s", *n->id == '.' ? "+" : "",
	    n->id);
	*strrchr(n->name, '#') = '@';
}

/* A new one of `worker`, with a generation that no directory and no row has
 * had. `single`: the only one, without an index in its name. */
struct inst *
inst_new(struct superv *s, const char *worker, uint64_t index, int single)
{
	char gen[VYX_DEC + 2];
	struct inst *n = add(s);
	size_t len;

	if (!n)
		return NULL;
	n->gen = ++s->gen;
	len = vyx_dec_fmt(gen, s->gen);
	gen[len] = '\n';
	if (!vyx_svdir_write(s->own, "generation",
	        (struct vyx_str){ gen, len + 1 }))
		vyx_log_sys(VYX_ERROR, "cannot keep the generation", NULL);
	n->index = index;
	n->state = VYX_S_STARTING;
	snprintf(n->worker, sizeof n->worker, "%s", worker);
	if (single)
		snprintf(n->id, sizeof n->id, "%s#%ju", worker,
		    (uintmax_t)n->gen);
	else
		snprintf(n->id, sizeof n->id, "%s-%ju#%ju", worker,
		    (uintmax_t)index, (uintmax_t)n->gen);
	name_it(n);
	return n;
}

/* One line of data/instance. */
static void
recall(struct inst *n, struct vyx_str line)
{
	struct vyx_str word = vyx_str_cut(&line, ' ');
	uint64_t v = 0;

	if (!line.p)
		return;
	vyx_dec_scan(line, UINT32_MAX, &v);
	if (vyx_str_eq(word, VYX_STR("worker")))
		snprintf(n->worker, sizeof n->worker, "%.*s", (int)line.n,
		    line.p);
	else if (vyx_str_eq(word, VYX_STR("spec")))
		snprintf(n->spec, sizeof n->spec, "%.*s", (int)line.n, line.p);
	else if (vyx_str_eq(word, VYX_STR("index")))
		n->index = v;
	else if (vyx_str_eq(word, VYX_STR("max")))
		n->max = v;
	else if (vyx_str_eq(word, VYX_STR("tunnels")))
		n->tunnels = v;
	else if (vyx_str_eq(word, VYX_STR("warm")))
		n->warm = v;
	else if (vyx_str_eq(word, VYX_STR("shutdown-ms")))
		n->shutdown_ms = v;
	else if (vyx_str_eq(word, VYX_STR("fd")))
		n->fd = v != 0;
}

/* Take over the instance whose service directory is sv/NAME, if it is one:
 * static services have no data/instance. */
static void
adopt(struct superv *s, const char *name, uint64_t gen)
{
	char dir[PATH_MAX], text[1024];
	struct vyx_str left;
	struct inst *n;
	ssize_t len;

	snprintf(dir, sizeof dir, "%s/%s/data", s->sv, name);
	len = vyx_svdir_read(dir, "instance", text, sizeof text - 1);
	if (len < 0 || strlen(name) > NAME_MAX_ || (n = add(s)) == NULL)
		return;
	left = (struct vyx_str){ text, (size_t)len };
	while (left.p)
		recall(n, vyx_str_cut(&left, '\n'));
	n->gen = gen;
	n->here = 1;
	snprintf(n->id, sizeof n->id, "%s", name + (*name == '+'));
	*strrchr(n->id, '@') = '#';
	name_it(n);
	if (vyx_svdir_read(dir, "ready", text, sizeof text - 1) >= 0)
		n->was_ready = 1;
	if (vyx_svdir_read(dir, "failed", text, sizeof text - 1) >= 0)
		n->failed = strdup(text);
	watch_inst(n);
	make_link(s, name); /* we may have died before that */
	watch_read(n);
}

int
inst_adopt_all(struct superv *s)
{
	char text[VYX_DEC + 1];
	struct dirent *e;
	ssize_t len;
	DIR *d;

	len = vyx_svdir_read(s->own, "generation", text, VYX_DEC);
	if (len > 0)
		vyx_dec_scan((struct vyx_str){ text, (size_t)len }, UINT64_MAX,
		    &s->gen);
	if ((d = opendir(s->sv)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		const char *at = strrchr(e->d_name, '@');
		uint64_t gen;

		if (*e->d_name == '.' || !at ||
		    !vyx_dec_scan(VYX_STRZ(at + 1), UINT64_MAX, &gen))
			continue;
		if (gen > s->gen)
			s->gen = gen;
		adopt(s, e->d_name, gen);
	}
	closedir(d);
	return 1;
}

static void
service(const struct inst *n, char *dir)
{
	snprintf(dir, PATH_MAX, "%s/%s", n->s->sv, n->name);
}

static void
bring_down(struct inst *n)
{
	char dir[PATH_MAX];

	service(n, dir);
	s6_svc_writectl(dir, S6_SUPERVISE_CTLDIR, "d", 1);
}

/* It gave up; it stays to be seen. `why` is for free(). */
void
inst_fail(struct inst *n, char *why)
{
	char dir[PATH_MAX + 8];

	free(n->failed);
	n->failed = why ? why : strdup("not enough memory");
	vyx_loop_cancel(&n->s->loop, &n->limit);
	vyx_log(VYX_ERROR, "worker failed", "instance", n->id, "why",
	    n->failed ? n->failed : "", NULL);
	if (n->here && n->failed) {
		snprintf(dir, sizeof dir, "%s/%s/data", n->s->sv, n->name);
		vyx_svdir_write(dir, "failed", VYX_STRZ(n->failed));
		bring_down(n);
		watch_read(n);
	}
	n->state = VYX_S_FAILED;
	tell_soon(n);
}

static void
stop(struct inst *n)
{
	vyx_loop_cancel(&n->s->loop, &n->limit);
	n->phase = n->here ? STOPPING : GONE;
	if (n->here) {
		bring_down(n);
		watch_read(n);
	}
	tell_soon(n);
}

/* Requests may be at its endpoint; with {fd} also while it is on its way back.
 */
static int
serves(const struct inst *n)
{
	switch (n->state) {
	case VYX_S_READY:
		return 1;
	case VYX_S_STARTING:
	case VYX_S_CRASHED:
	case VYX_S_BACKOFF:
		return n->fd && n->was_ready;
	default:
		return 0;
	}
}

/* Not wanted any more: its endpoint is emptied first. */
void
inst_retire(struct inst *n)
{
	if (n->phase != WANTED)
		return;
	if (!serves(n)) {
		stop(n);
		return;
	}
	n->phase = DRAINING;
	vyx_loop_timer(&n->s->loop, &n->limit,
	    n->s->loop.now + n->shutdown_ms * VYX_MS);
	watch_read(n);
	tell_soon(n);
}

static void
too_long(struct vyx_timer *t)
{
	struct inst *n = VYX_OF(t, struct inst, limit);
	char *why;

	if (n->phase == DRAINING) {
		vyx_log(VYX_WARN, "not drained in time", "instance", n->id,
		    NULL);
		stop(n);
		return;
	}
	if (asprintf(&why, "not ready within its startup_timeout") < 0)
		why = NULL;
	inst_fail(n, why);
	plan_soon(n->s);
}

void
inst_drained(struct superv *s, struct vyx_str id)
{
	for (struct inst *n = s->insts; n; n = n->next)
		if (n->phase == DRAINING && vyx_str_eq(VYX_STRZ(n->id), id))
			stop(n);
}

/* The socket of {fd} is held in fdholder as long as the instance is. */
static void
let_go(struct inst *n)
{
	char path[PATH_MAX], id[NAME_MAX_ + 3];
	char prog[] = "s6-fdholder-delete";
	char *argv[] = { prog, path, id, NULL };
	pid_t pid;

	snprintf(path, sizeof path, "%s/fdholder/s", n->s->run);
	snprintf(id, sizeof id, "w:%s", n->id);
	if (posix_spawnp(&pid, prog, NULL, NULL, argv, environ) != 0)
		vyx_log_sys(VYX_WARN, "cannot ask fdholder", NULL);
}

void
inst_prune_logs(const struct inst *n)
{
	char dir[PATH_MAX];
	size_t base = (size_t)(strrchr(n->name, '@') - n->name) + 1;
	uint64_t gen, kept[LOGS_KEPT] = { 0 };
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof dir, "%s/log", n->s->run);
	if ((d = opendir(dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (!strncmp(e->d_name, n->name, base) &&
		    vyx_dec_scan(VYX_STRZ(e->d_name + base), UINT64_MAX, &gen))
			for (size_t i = 0; i < LOGS_KEPT; i++)
				if (gen > kept[i]) {
					uint64_t t = kept[i];

					kept[i] = gen;
					gen = t;
				}
	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		if (!strncmp(e->d_name, n->name, base) &&
		    vyx_dec_scan(VYX_STRZ(e->d_name + base), UINT64_MAX,
		        &gen) &&
		    gen < kept[LOGS_KEPT - 1])
			vyx_svdir_remove(dir, e->d_name);
	closedir(d);
}

/* s6 has brought it down: s6 forgets it, then we do. */
static void
unlink_it(struct inst *n)
{
	char link[PATH_MAX];

	watch_end(n);
	snprintf(link, sizeof link, "%s/%s", n->s->scan, n->name);
	unlink(link);
	s6_svc_writectl(n->s->scan, S6_SVSCAN_CTLDIR, "an", 2);
	n->phase = UNLINKED;
}

static void
remove_it(struct inst *n)
{
	char dir[PATH_MAX], log[PATH_MAX + 8];

	service(n, dir);
	snprintf(log, sizeof log, "%s/log", dir);
	if (s6_svc_ok(dir) == 1 || s6_svc_ok(log) == 1)
		return; /* still supervised: look again later */
	if (!vyx_svdir_remove(n->s->sv, n->name) ||
	    !vyx_svdir_remove(n->s->w, n->name))
		vyx_log_sys(VYX_WARN, "cannot remove a directory", "name",
		    n->name, NULL);
	if (n->fd)
		let_go(n);
	n->here = 0;
	n->phase = GONE;
	tell_soon(n);
}

void
inst_tick(struct superv *s)
{
	for (struct inst *n = s->insts; n; n = n->next) {
		if (n->phase == STOPPING || n->phase == DRAINING)
			watch_read(n);
		if (n->phase == STOPPING && !n->running)
			unlink_it(n);
		else if (n->phase == UNLINKED)
			remove_it(n);
		else if (n->wantup && (n->phase == STOPPING || n->failed))
			bring_down(n); /* nobody listened when it was said */
	}
}

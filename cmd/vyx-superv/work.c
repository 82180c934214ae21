/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "superv.h"

#define SHUTDOWN_MS 30000 /* of a row that does not say */

struct work *
work_find(struct superv *s, const char *id)
{
	struct work *w;

	for (w = s->works; w && strcmp(w->id, id); w = w->next)
		continue;
	return w;
}

static void
clear(struct work *w)
{
	free(w->command);
	free(w->dir);
	free(w->user);
	free(w->env);
	free(w->health);
	free(w->owner);
}

void
work_del(struct superv *s, struct vyx_str id)
{
	for (struct work **p = &s->works; *p; p = &(*p)->next) {
		struct work *w = *p;

		if (!vyx_str_eq(VYX_STRZ(w->id), id))
			continue;
		*p = w->next;
		clear(w);
		free(w);
		return;
	}
}

/* All values of `env`, each ended by NUL, the last by two. */
static char *
env_list(const struct vyx_rec *row)
{
	struct vyx_buf b = { 0 };

	for (unsigned i = vyx_rec_next(row, VYX_F_ENV, 0); i < row->n;
	     i = vyx_rec_next(row, VYX_F_ENV, i + 1)) {
		vyx_buf_putstr(&b, row->f[i].v);
		vyx_buf_putc(&b, 0);
	}
	if (!vyx_buf_putc(&b, 0))
		vyx_buf_free(&b);
	return b.p;
}

/* What an instance is made from, in 64 bits. The rows are the operator's, so
 * nobody looks for collisions. */
static int
digest(struct work *w, const struct vyx_rec *row)
{
	static const enum vyx_field of[] = { VYX_F_COMMAND, VYX_F_DIR,
		VYX_F_USER, VYX_F_PROTOCOL, VYX_F_HEALTH, VYX_F_OWNER };
	static const uint8_t key[16];
	struct vyx_buf b = { 0 };
	int ok = 1;

	for (size_t i = 0; i < VYX_COUNT(of); i++)
		ok &= vyx_buf_putstr(&b, vyx_rec_str(row, of[i])) &&
		    vyx_buf_putc(&b, 0);
	for (const char *e = w->env; *e; e += strlen(e) + 1)
		ok &= vyx_buf_put(&b, e, strlen(e) + 1);
	if (ok)
		snprintf(w->spec, sizeof w->spec, "%016llx",
		    (unsigned long long)vyx_hash(key, b.p, b.n));
	vyx_buf_free(&b);
	return ok;
}

static int
fill(struct work *w, const struct vyx_rec *row)
{
	struct vyx_str id = vyx_rec_str(row, VYX_F_KEY);

	if (id.n == 0 || id.n >= sizeof w->id)
		return 0;
	memcpy(w->id, id.p, id.n);
	w->command = vyx_str_dup(vyx_rec_str(row, VYX_F_COMMAND));
	w->dir = vyx_str_dup(vyx_rec_str(row, VYX_F_DIR));
	w->user = vyx_str_dup(vyx_rec_str(row, VYX_F_USER));
	w->health = vyx_str_dup(vyx_rec_str(row, VYX_F_HEALTH));
	w->owner = vyx_str_dup(vyx_rec_str(row, VYX_F_OWNER));
	w->env = env_list(row);
	w->replicas = vyx_rec_u(row, VYX_F_REPLICAS);
	if (w->replicas == 0)
		w->replicas = 1;
	w->max = vyx_rec_u(row, VYX_F_MAX_SIZE);
	w->tunnels = vyx_rec_u(row, VYX_F_TUNNELS);
	w->warm = vyx_rec_u(row, VYX_F_MIN_IDLE);
	w->startup_ms = vyx_rec_u(row, VYX_F_STARTUP_MS);
	w->shutdown_ms = vyx_rec_u(row, VYX_F_SHUTDOWN_MS);
	if (w->shutdown_ms == 0)
		w->shutdown_ms = SHUTDOWN_MS;
	w->drain = vyx_rec_u(row, VYX_F_DRAIN) != 0;
	w->native =
	    vyx_str_eq(vyx_rec_str(row, VYX_F_PROTOCOL), VYX_STR("vyx"));
	w->remote = vyx_str_eq(vyx_rec_str(row, VYX_F_MODE), VYX_STR("remote"));
	return w->command && w->dir && w->user && w->health && w->owner &&
	    w->env && digest(w, row);
}

void
work_put(struct superv *s, const struct vyx_rec *row)
{
	struct work *w = calloc(1, sizeof *w);

	if (!w || !fill(w, row)) {
		vyx_log_sys(VYX_ERROR, "cannot keep a worker row", NULL);
		if (w)
			clear(w);
		free(w);
		return;
	}
	work_del(s, vyx_rec_str(row, VYX_F_KEY));
	w->next = s->works;
	s->works = w;
}

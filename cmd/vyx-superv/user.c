/* SPDX-License-Identifier: ISC */
/* user - who runs a worker. An ordinary user runs all as himself. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "superv.h"
#include "sys/svdir.h"

#define AUTO_FIRST 53000
#define AUTO_COUNT 1000

static void
set_groups(struct who *u, const struct passwd *pw)
{
	gid_t list[32];
	int n = VYX_COUNT(list);
	size_t at = 0;

	if (getgrouplist(pw->pw_name, pw->pw_gid, list, &n) < 0)
		n = VYX_COUNT(list); /* more than a worker should need */
	for (int i = 0; i < n && at + 12 < sizeof u->groups; i++)
		at += (size_t)snprintf(u->groups + at, sizeof u->groups - at,
		    "%s%u", i ? "," : "", (unsigned)list[i]);
}

static void
set_uid(struct who *u, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	*u = (struct who){ .uid = uid, .gid = uid, .home = "/" };
	snprintf(u->name, sizeof u->name, "%u", (unsigned)uid);
	snprintf(u->groups, sizeof u->groups, "%u", (unsigned)uid);
	if (!pw)
		return;
	u->gid = pw->pw_gid;
	snprintf(u->name, sizeof u->name, "%s", pw->pw_name);
	snprintf(u->home, sizeof u->home, "%s", pw->pw_dir);
	set_groups(u, pw);
}

/* `user: auto`: one uid a worker, kept in RUN/superv/uids as "uid id" lines,
 * for files that the worker made belong to it. */
static int
auto_uid(struct superv *s, const char *id, uid_t *uid)
{
	static char text[65536];
	ssize_t n = vyx_svdir_read(s->own, "uids", text, sizeof text - 1);
	struct vyx_str left = { text, n > 0 ? (size_t)n : 0 };
	uint64_t given = 0;
	struct vyx_buf b = { 0 };
	int ok;

	while (left.p && left.n) {
		struct vyx_str line = vyx_str_cut(&left, '\n');
		struct vyx_str num = vyx_str_cut(&line, ' ');

		given++;
		if (line.p && vyx_str_eq(line, VYX_STRZ(id))) {
			uint64_t v;

			ok = vyx_dec_scan(num, UINT32_MAX, &v);
			*uid = (uid_t)v;
			return ok;
		}
	}
	if (given >= AUTO_COUNT)
		return errno = ENOSPC, 0;
	*uid = (uid_t)(AUTO_FIRST + given);
	ok = vyx_buf_put(&b, text, n > 0 ? (size_t)n : 0) &&
	    (n <= 0 || vyx_buf_putc(&b, '\n')) && vyx_buf_putu(&b, *uid) &&
	    vyx_buf_putc(&b, ' ') && vyx_buf_puts(&b, id) &&
	    vyx_buf_putc(&b, '\n') &&
	    vyx_svdir_write(s->own, "uids", vyx_buf_str(&b));
	vyx_buf_free(&b);
	return ok;
}

static const char *
wanted_uid(struct superv *s, const struct work *w, uid_t *uid)
{
	const struct passwd *pw;
	struct stat st;
	uint64_t v;

	if (!strcmp(w->user, "auto"))
		return auto_uid(s, w->id, uid) ? NULL : "no uid is left for it";
	if (!*w->user) {
		if (!*w->dir)
			return "its row names no dir";
		if (stat(w->dir, &st) < 0)
			return "its working_dir cannot be looked at";
		*uid = st.st_uid;
		return NULL;
	}
	if (vyx_dec_scan(VYX_STRZ(w->user), UINT32_MAX - 1, &v)) {
		*uid = (uid_t)v;
		return NULL;
	}
	if ((pw = getpwnam(w->user)) == NULL)
		return "there is no such user as user: says";
	*uid = pw->pw_uid;
	return NULL;
}

const char *
user_find(struct superv *s, const struct work *w, struct who *u)
{
	const char *why;
	uid_t uid;

	if (!s->root) {
		set_uid(u, geteuid());
		u->gid = getegid();
		return NULL;
	}
	if ((why = wanted_uid(s, w, &uid)) != NULL)
		return why;
	if (uid == 0 && !s->allow_root)
		return *w->user ? "workers do not run as root: choose another "
		                  "user, or start with VYX_ALLOW_ROOT=1"
		                : "its working_dir is root's and workers do "
		                  "not run as root: say user: auto, or start "
		                  "with VYX_ALLOW_ROOT=1";
	set_uid(u, uid);
	return NULL;
}

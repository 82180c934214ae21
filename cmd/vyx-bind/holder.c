/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <s6/fdholder.h>
#include <skalibs/stralloc.h>
#include <skalibs/tai.h>

#include "bind.h"
#include "vyx.h"

#define WAIT_MS 2000   /* for one answer of s6-fdholderd */
#define WAIT_TRIES 150 /* for itself, 20 ms each */

static s6_fdholder_t holder = S6_FDHOLDER_ZERO static int there;

static tain
deadline(void)
{
	tain t;

	tain_now_g();
	tain_from_millisecs(&t, WAIT_MS);
	tain_add_g(&t, &t);
	return t;
}

void
holder_open(const char *run)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	char path[VYX_PATH_MAX + 1], dir[VYX_PATH_MAX + 1];
	tain t;

	if (snprintf(path, sizeof path, "%s/fdholder/s", run) > VYX_PATH_MAX)
		vyx_die(VYX_USAGE, "%s/fdholder/s: too long for a socket", run);
	snprintf(dir, sizeof dir, "%.*s", (int)strlen(path) - 2, path);
	if (!tain_now_set_stopwatch_g())
		vyx_die_sys(VYX_SYSTEM, "clock");
	for (int tries = 0; tries < WAIT_TRIES; tries++) {
		t = deadline();
		there = s6_fdholder_start_g(&holder, path, &t);
		if (there || access(dir, F_OK) < 0)
			return;
		nanosleep(&pause, NULL);
	}
}

int
holder_take(const char *name)
{
	tain t = deadline();
	socklen_t len = sizeof(int);
	int fd, listens = 0;

	if (!there || (fd = s6_fdholder_retrieve_g(&holder, name, &t)) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	    listens)
		return fd;
	close(fd); /* somebody else's: ours are made anew */
	holder_drop(name);
	return -1;
}

int
holder_keep(const char *name, int fd)
{
	tain t = deadline(), for_ever = TAIN_INFINITE;

	return there && s6_fdholder_store_g(&holder, fd, name, &for_ever, &t);
}

void
holder_drop(const char *name)
{
	tain t = deadline();

	if (there)
		s6_fdholder_delete_g(&holder, name, &t);
}

void
holder_each(void (*fn)(void *arg, const char *name), void *arg)
{
	tain t = deadline();
	stralloc names = STRALLOC_ZERO;

	if (there && s6_fdholder_list_g(&holder, &names, &t) >= 0)
		for (size_t i = 0; i < names.len; i += strlen(names.s + i) + 1)
			fn(arg, names.s + i);
	stralloc_free(&names);
}

void
holder_close(void)
{
	if (there)
		s6_fdholder_end(&holder);
	there = 0;
}

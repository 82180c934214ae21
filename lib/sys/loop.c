/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/loop.h"

#define EVENTS 256 /* a turn */

uint64_t
vyx_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * VYX_SEC + (uint64_t)t.tv_nsec;
}

static void
signalled(struct vyx_io *io, uint32_t events)
{
	struct vyx_loop *l = VYX_OF(io, struct vyx_loop, signals);
	struct signalfd_siginfo si;

	(void)events;
	while (read(io->fd, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo < VYX_COUNT(l->on_signal) &&
		    l->on_signal[si.ssi_signo])
			l->on_signal[si.ssi_signo](l, (int)si.ssi_signo);
}

int
vyx_loop_init(struct vyx_loop *l)
{
	*l = (struct vyx_loop){ .signals = { signalled, -1, 0 } };
	l->last = &l->tasks;
	l->now = vyx_now();
	signal(SIGPIPE, SIG_IGN);
	return (l->epoll = epoll_create1(EPOLL_CLOEXEC)) >= 0;
}

void
vyx_loop_free(struct vyx_loop *l)
{
	if (l->signals.fd >= 0)
		close(l->signals.fd);
	close(l->epoll);
	free(l->heap);
	l->heap = NULL;
	l->timers = l->room = 0;
}

void
vyx_loop_stop(struct vyx_loop *l)
{
	l->stopped = 1;
}

int
vyx_loop_add(struct vyx_loop *l, struct vyx_io *io, uint32_t events)
{
	struct epoll_event e = { .events = events, .data = { .ptr = io } };

	io->at = 0;
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, io->fd, &e) == 0;
}

int
vyx_loop_mod(struct vyx_loop *l, struct vyx_io *io, uint32_t events)
{
	struct epoll_event e = { .events = events, .data = { .ptr = io } };

	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, io->fd, &e) == 0;
}

void
vyx_loop_del(struct vyx_loop *l, struct vyx_io *io)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	if (io->at && (int)io->at <= l->nevents &&
	    l->events[io->at - 1].data.ptr == io)
		l->events[io->at - 1].data.ptr = NULL;
	io->at = 0;
}

int
vyx_loop_signal(struct vyx_loop *l, int signo,
    void (*fn)(struct vyx_loop *, int))
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	l->on_signal[signo] = fn;
	for (int s = 1; s < (int)VYX_COUNT(l->on_signal); s++)
		if (l->on_signal[s])
			sigaddset(&set, s);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return 0;
	fd = signalfd(l->signals.fd, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0 || l->signals.fd >= 0)
		return fd >= 0;
	l->signals.fd = fd;
	return vyx_loop_add(l, &l->signals, EPOLLIN);
}

/* A 4-ary heap on `key`. Moving a timer to later leaves its key: it is put
 * in its place when the key comes up. */
static void
place(struct vyx_loop *l, size_t i, struct vyx_timer *t)
{
	l->heap[i] = t;
	t->place = i + 1;
}

static void
up(struct vyx_loop *l, size_t i, struct vyx_timer *t)
{
	while (i && l->heap[(i - 1) / 4]->key > t->key) {
		place(l, i, l->heap[(i - 1) / 4]);
		i = (i - 1) / 4;
	}
	place(l, i, t);
}

static void
down(struct vyx_loop *l, size_t i, struct vyx_timer *t)
{
	for (;;) {
		size_t first = 4 * i + 1, least = first;

		if (first >= l->timers)
			break;
		for (size_t k = first + 1; k < first + 4 && k < l->timers; k++)
			if (l->heap[k]->key < l->heap[least]->key)
				least = k;
		if (l->heap[least]->key >= t->key)
			break;
		place(l, i, l->heap[least]);
		i = least;
	}
	place(l, i, t);
}

int
vyx_loop_timer(struct vyx_loop *l, struct vyx_timer *t, uint64_t due)
{
	t->due = due;
	if (t->place) {
		if (due < t->key) {
			t->key = due;
			up(l, t->place - 1, t);
		}
		return 1;
	}
	if (l->timers == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct vyx_timer **h =
		    reallocarray(l->heap, room, sizeof(struct vyx_timer *));

		if (!h)
			return 0;
		l->heap = h;
		l->room = room;
	}
	t->key = due;
	up(l, l->timers++, t);
	return 1;
}

void
vyx_loop_cancel(struct vyx_loop *l, struct vyx_timer *t)
{
	size_t i = t->place;
	struct vyx_timer *last;

	t->due = 0;
	if (!i--)
		return;
	t->place = 0;
	last = l->heap[--l->timers];
	if (last == t)
		return;
	if (i && l->heap[(i - 1) / 4]->key > last->key)
		up(l, i, last);
	else
		down(l, i, last);
}

static void
fire(struct vyx_loop *l)
{
	/* one set again by its own handler waits for the next turn */
	for (size_t n = l->timers; n && l->timers; n--) {
		struct vyx_timer *t = l->heap[0];

		while (t->due > t->key) { /* was moved to later meanwhile */
			t->key = t->due;
			down(l, 0, t);
			t = l->heap[0];
		}
		if (t->key > l->now)
			return;
		vyx_loop_cancel(l, t);
		t->fn(t);
	}
}

void
vyx_loop_defer(struct vyx_loop *l, struct vyx_task *t)
{
	if (t->queued)
		return;
	t->queued = 1;
	t->next = NULL;
	*l->last = t;
	l->last = &t->next;
}

void
vyx_loop_undefer(struct vyx_loop *l, struct vyx_task *t)
{
	if (!t->queued)
		return;
	t->queued = 0;
	for (struct vyx_task **p = &l->tasks; *p; p = &(*p)->next)
		if (*p == t) {
			if (!(*p = t->next))
				l->last = p;
			return;
		}
}

static void
finish(struct vyx_loop *l)
{
	struct vyx_task *t;

	while ((t = l->tasks) != NULL) {
		if (!(l->tasks = t->next))
			l->last = &l->tasks;
		t->queued = 0;
		t->fn(t);
	}
}

/* Milliseconds to the next timer, rounded up: never early. */
static int
patience(const struct vyx_loop *l)
{
	uint64_t key, ms;

	if (l->tasks)
		return 0;
	if (!l->timers)
		return -1;
	key = l->heap[0]->key;
	if (key <= l->now)
		return 0;
	ms = (key - l->now + VYX_MS - 1) / VYX_MS;
	return ms > 60000 ? 60000 : (int)ms;
}

static void
dispatch(struct vyx_loop *l, struct epoll_event *e, int n)
{
	l->events = e;
	l->nevents = n;
	for (int i = 0; i < n; i++)
		((struct vyx_io *)e[i].data.ptr)->at = (uint32_t)i + 1;
	for (int i = 0; i < n; i++) {
		struct vyx_io *io = e[i].data.ptr;

		if (!io)
			continue;
		io->at = 0;
		e[i].data.ptr = NULL;
		io->fn(io, e[i].events);
	}
	l->nevents = 0;
}

int
vyx_loop_run(struct vyx_loop *l)
{
	struct epoll_event e[EVENTS];

	finish(l);
	while (!l->stopped) {
		int n;

		l->now = vyx_now();
		n = epoll_wait(l->epoll, e, EVENTS, patience(l));
		if (n < 0 && errno != EINTR)
			return 0;
		l->now = vyx_now();
		dispatch(l, e, n > 0 ? n : 0);
		fire(l);
		finish(l);
	}
	return 1;
}

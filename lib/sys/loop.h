/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_LOOP_H
#define VYX_SYS_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * loop - one epoll, timers, signals, and the end of a turn.
 *
 * Owns	    the epoll descriptor, the signalfd, the array of timers. The
 *	    structs below belong to the caller and are embedded in his.
 * Needs    SIGPIPE ignored and watched signals blocked: vyx_loop_init does.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    a turn is one epoll_wait, one clock reading, and what is due. A
 *	    timer moved to later costs a store; to earlier, O(log n).
 *
 * A handler may close any other io: events of a turn already fetched for an
 * io that was taken out with vyx_loop_del are not delivered.
 */

struct vyx_io {
	void (*fn)(struct vyx_io *io, uint32_t events); /* EPOLL... */
	int fd;
	uint32_t at; /* the loop's: place in this turn's events */
};

struct vyx_timer {
	void (*fn)(struct vyx_timer *t);
	uint64_t due; /* CLOCK_MONOTONIC ns; 0: not set */
	uint64_t key; /* the loop's: what the heap is ordered by, <= due */
	size_t place; /* the loop's: 1 + index in the heap, 0: not in it */
};

/* Work put off to the end of this turn, to be done once. */
struct vyx_task {
	void (*fn)(struct vyx_task *t);
	struct vyx_task *next;
	int queued;
};

struct vyx_loop {
	uint64_t now; /* CLOCK_MONOTONIC ns, read once a turn */
	int epoll;
	int stopped;
	struct vyx_timer **heap;
	size_t timers, room;
	struct vyx_task *tasks, **last;
	struct epoll_event *events; /* of this turn, while it runs */
	int nevents;
	struct vyx_io signals;
	void (*on_signal[65])(struct vyx_loop *l, int signo);
};

int vyx_loop_init(struct vyx_loop *l);
void vyx_loop_free(struct vyx_loop *l);

/* Run turns until vyx_loop_stop. 0 with errno when epoll fails. */
int vyx_loop_run(struct vyx_loop *l);
void vyx_loop_stop(struct vyx_loop *l);

/* Watch io->fd for `events`; change what for; take it out, which comes before
 * its close, for a duplicate would keep it in. */
int vyx_loop_add(struct vyx_loop *l, struct vyx_io *io, uint32_t events);
int vyx_loop_mod(struct vyx_loop *l, struct vyx_io *io, uint32_t events);
void vyx_loop_del(struct vyx_loop *l, struct vyx_io *io);

/* Call t->fn once at or after `due`. Setting again moves it. */
int vyx_loop_timer(struct vyx_loop *l, struct vyx_timer *t, uint64_t due);
void vyx_loop_cancel(struct vyx_loop *l, struct vyx_timer *t);

/* Call t->fn when the events and timers of this turn are done. A task put
 * off by a task runs in the same turn. */
void vyx_loop_defer(struct vyx_loop *l, struct vyx_task *t);
void vyx_loop_undefer(struct vyx_loop *l, struct vyx_task *t);

/* Call fn for each `signo`, outside of signal context. */
int vyx_loop_signal(struct vyx_loop *l, int signo,
    void (*fn)(struct vyx_loop *l, int signo));

/* CLOCK_MONOTONIC in ns, for what lies outside a loop. */
uint64_t vyx_now(void);

#define VYX_MS UINT64_C(1000000)
#define VYX_SEC UINT64_C(1000000000)

#endif

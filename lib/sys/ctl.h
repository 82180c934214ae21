/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_CTL_H
#define VYX_SYS_CTL_H

#include "sys/chan.h"

/*
 * ctl - a daemon's own socket: answers `ping`, so that vyx-superv sees it
 * alive, and `stat` with its figures. Figures are not state: regd has none.
 *
 * Owns	    the listening socket and its file, up to VYX_CTL_PEERS peers.
 * Needs    a loop; `figures`, which writes them.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    nothing until asked.
 */

#define VYX_CTL_PEERS 16

struct vyx_ctl;
struct vyx_ctl_peer {
	struct vyx_chan chan;
	struct vyx_ctl *ctl;
	int used;
};

struct vyx_ctl {
	struct vyx_loop *loop;
	const char *name; /* "route.0" */
	char path[VYX_PATH_MAX + 1];
	/* Write all figures by vyx_ctl_figure. */
	void (*figures)(struct vyx_ctl *t, struct vyx_chan *to);
	struct vyx_io io;
	struct vyx_ctl_peer peers[VYX_CTL_PEERS];
};

/* Listen at RUN/dir/ctl. loop, name and figures are set before. */
int vyx_ctl_start(struct vyx_ctl *t, const char *run, const char *dir);
void vyx_ctl_stop(struct vyx_ctl *t);

/* One figure; `w` and `i` say of which worker or instance, or are NULL. */
void vyx_ctl_figure(struct vyx_chan *to, const char *name, uint64_t value,
    const char *w, const char *i);
/* One that is a word. */
void vyx_ctl_word(struct vyx_chan *to, const char *name, const char *value,
    const char *w, const char *i);
/* A word about a row of the registry, such as a route. */
void vyx_ctl_row(struct vyx_chan *to, const char *name, const char *value,
    struct vyx_str key);

#endif

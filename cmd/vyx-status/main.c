/* SPDX-License-Identifier: ISC */
/* vyx-status - what runs: workers, instances, endpoints, figures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "status.h"
#include "sys/reg.h"

#define NOT_WELL 1

static const struct vyx_prog prog = { "vyx-status", "dTtj", "",
	"shows workers, instances, endpoints and figures",
	"  exit 0: all wanted is ready; 1: something is not\n" };

struct count {
	char id[65];
	uint64_t wanted, ready, failed;
};

static struct line out;
static struct count *counts;
static size_t n_counts;

typedef void each(const struct vyx_rec *row);

static void
ls(struct vyx_reg_sync *g, enum vyx_table t, each *fn)
{
	char after[1025] = "";
	int more;

	do {
		struct vyx_rec_out o = vyx_reg_sync_ask(g, VYX_V_LS);

		vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(t));
		if (*after)
			vyx_rec_putz(&o, VYX_F_AFTER, after);
		if (!vyx_rec_end(&o) || !vyx_reg_sync_send(g))
			vyx_die_sys(VYX_SYSTEM, "registry");
		for (;;) {
			struct vyx_str key;

			if (!vyx_reg_sync_recv(g))
				vyx_die_sys(VYX_SYSTEM, "registry");
			if (g->rec.verb != VYX_V_ROW)
				break;
			key = vyx_rec_str(&g->rec, VYX_F_KEY);
			memcpy(after, key.p, key.n);
			after[key.n] = 0;
			fn(&g->rec);
		}
		if (g->rec.verb != VYX_V_END)
			vyx_die(VYX_SYSTEM, "the registry refuses to list %s",
			    vyx_rec_table_name(t));
		more = vyx_rec_u(&g->rec, VYX_F_MORE) != 0;
	} while (more);
}

static void
worker(const struct vyx_rec *r)
{
	struct count *c = realloc(counts, (n_counts + 1) * sizeof *counts);
	struct vyx_str id = vyx_rec_str(r, VYX_F_KEY);
	uint64_t n = vyx_rec_u(r, VYX_F_REPLICAS);

	if (!c)
		vyx_die_sys(VYX_SYSTEM, "malloc");
	counts = c;
	c += n_counts++;
	*c = (struct count){ .wanted = n ? n : 1 };
	if (vyx_rec_u(r, VYX_F_DRAIN) ||
	    vyx_str_eq(vyx_rec_str(r, VYX_F_MODE), VYX_STR("remote")))
		c->wanted = 0; /* here */
	memcpy(c->id, id.p, id.n < sizeof c->id ? id.n : sizeof c->id - 1);
}

static void
instance(const struct vyx_rec *r)
{
	struct vyx_str w = vyx_rec_str(r, VYX_F_WORKER);
	enum vyx_state s = vyx_rec_state(r);

	for (size_t i = 0; i < n_counts; i++)
		if (vyx_str_eq(VYX_STRZ(counts[i].id), w)) {
			counts[i].ready += s == VYX_S_READY;
			counts[i].failed += s == VYX_S_FAILED ||
			    s == VYX_S_BACKOFF || s == VYX_S_CRASHED;
		}
	line_begin(&out, "instance");
	line_word(&out, "id", vyx_rec_str(r, VYX_F_KEY));
	line_word(&out, "worker", w);
	line_word(&out, "state", vyx_rec_str(r, VYX_F_STATE));
	line_num(&out, "pid", vyx_rec_u(r, VYX_F_PID));
	line_word(&out, "code", vyx_rec_str(r, VYX_F_CODE));
	line_num(&out, "restarts", vyx_rec_u(r, VYX_F_RESTARTS));
	line_word(&out, "text", vyx_rec_str(r, VYX_F_TEXT));
	line_end(&out);
}

static void
endpoint(const struct vyx_rec *r)
{
	line_begin(&out, "endpoint");
	line_word(&out, "id", vyx_rec_str(r, VYX_F_KEY));
	line_word(&out, "worker", vyx_rec_str(r, VYX_F_WORKER));
	line_word(&out, "state", vyx_rec_str(r, VYX_F_STATE));
	line_word(&out, "kind", vyx_rec_str(r, VYX_F_KIND));
	line_num(&out, "max", vyx_rec_u(r, VYX_F_MAX));
	line_word(&out, "path", vyx_rec_str(r, VYX_F_PATH));
	line_end(&out);
}

static int
workers(void)
{
	int ok = 1;

	for (size_t i = 0; i < n_counts; i++) {
		const struct count *c = &counts[i];

		line_begin(&out, "worker");
		line_word(&out, "id", VYX_STRZ(c->id));
		line_num(&out, "wanted", c->wanted);
		line_num(&out, "ready", c->ready);
		line_num(&out, "failed", c->failed);
		line_end(&out);
		ok &= c->ready >= c->wanted && !c->failed;
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct vyx_opt opt;
	struct vyx_reg_sync g;
	int64_t limit = VYX_NS_S;
	const char *run;
	int well;

	vyx_prog_start(&prog, &opt, argc, argv);
	run = vyx_prog_run(&opt);
	if (opt.limit &&
	    (!vyx_dur_scan(VYX_STRZ(opt.limit), &limit) || limit <= 0))
		vyx_die(VYX_USAGE, "-T %s: a time is needed, such as 2s",
		    opt.limit);
	out.out = opt.json ? JSON : opt.tabs ? TABS : PEOPLE;
	if (!vyx_reg_connect(&g, run, VYX_E_READ, "vyx-status",
	        (uint64_t)limit)) {
		figures(&out, run);
		fflush(stdout);
		if (*g.said)
			vyx_die(NOT_WELL, "%s: %s", run, g.said);
		vyx_die_sys(NOT_WELL, "%s: no registry answers", run);
	}
	ls(&g, VYX_T_WORKER, worker);
	ls(&g, VYX_T_INSTANCE, instance);
	ls(&g, VYX_T_ENDPOINT, endpoint);
	vyx_reg_disconnect(&g);
	well = workers();
	well &= figures(&out, run);
	if (fflush(stdout) || ferror(stdout))
		vyx_die_sys(VYX_SYSTEM, "stdout");
	return well ? 0 : NOT_WELL;
}

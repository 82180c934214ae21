/* SPDX-License-Identifier: ISC */
#include "bind.h"
#include "sys/reg.h"

static int
ask(struct addrs *a, struct vyx_reg_sync *g)
{
	struct vyx_rec_out o = vyx_reg_sync_ask(g, VYX_V_LS);

	vyx_rec_putz(&o, VYX_F_TABLE, "listener");
	if (!vyx_rec_end(&o) || !vyx_reg_sync_send(g))
		return 0;
	for (;;) {
		struct vyx_str key;

		if (!vyx_reg_sync_recv(g))
			return 0;
		if (g->rec.verb != VYX_V_ROW)
			return g->rec.verb == VYX_V_END;
		key = vyx_rec_str(&g->rec, VYX_F_KEY);
		if (a->n == LISTENERS_MAX || key.n > ADDR_MAX)
			vyx_die(VYX_CONFIG,
			    "listener %.*s: too many, or too "
			    "long",
			    (int)key.n, key.p);
		memcpy(a->v[a->n], key.p, key.n);
		a->v[a->n++][key.n] = 0;
	}
}

int
wanted_ask(struct addrs *a, const char *run, uint64_t limit)
{
	struct vyx_reg_sync g;
	int ok;

	a->n = 0;
	ok = vyx_reg_connect(&g, run, VYX_E_READ, "vyx-bind", limit) &&
	    ask(a, &g);
	vyx_reg_disconnect(&g);
	return ok;
}

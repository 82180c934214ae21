/* SPDX-License-Identifier: ISC */
/* vyx.yaml, any bytes: refused with a note, or what comes out is sound. */
#include <stdlib.h>

#include "state/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vyx_conf c = { 0 };

	vyx_conf_yaml(&c, "f", "/f",
	    (struct vyx_str){ (const char *)data, size });
	vyx_conf_routes(&c, "m", "/m", (struct vyx_str){ NULL, 0 });
	must(c.notes.n <= c.notes.errors + c.notes.warnings);
	for (size_t i = 0; !c.notes.errors && i < c.n_workers; i++) {
		struct vyx_conf_worker *w = &c.workers[i];

		must(vyx_conf_id_ok(w->v[0].text));
		must(vyx_conf_worker(&c, w->v[0].text) == w);
		must(vyx_conf_worker_val(w, VYX_K_W_COMMAND)->text.n > 0);
		must(vyx_conf_worker_val(w, VYX_K_W_REPLICAS)->num >= 1);
		must(vyx_conf_worker_val(w, VYX_K_W_MAX_SIZE)->num >=
		    vyx_conf_worker_val(w, VYX_K_W_MIN_IDLE)->num);
	}
	for (size_t i = 0; !c.notes.errors && i < c.n_routes; i++) {
		must(c.routes[i].path.n && *c.routes[i].path.p == '/');
		must(c.routes[i].limits.n <= 4096);
		must(c.routes[i].headers.n <= 16384);
		must(vyx_conf_worker(&c, c.routes[i].worker) != NULL);
	}
	vyx_notes_sort(&c.notes);
	vyx_conf_free(&c);
	return 0;
}

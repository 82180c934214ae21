/* SPDX-License-Identifier: ISC */
/* route_map.json, any bytes: refused with a note, or what comes out is sound.
 */
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
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	vyx_conf_yaml(&c, "f", "/f",
	    VYX_STR("project: {name: p}\n"
	            "workers: [{id: go:api, command: 'x {socket}'}]\n"));
	must(!c.notes.errors);
	vyx_conf_routes(&c, "m", "/m",
	    (struct vyx_str){ size ? (const char *)data : "", size });
	for (size_t i = 0; i < c.notes.n; i++)
		must(c.notes.v[i].line >= 1 && c.notes.v[i].line <= lines);
	for (size_t i = 0; !c.notes.errors && i < c.n_routes; i++) {
		const struct vyx_conf_route *r = &c.routes[i];

		must(r->line >= 1 && r->line <= lines);
		must(r->path.n && *r->path.p == '/');
		must(vyx_str_eq(r->worker, VYX_STR("go:api")));
		for (size_t m = 0; m < r->n_methods; m++)
			must(r->methods[m].n > 0);
		for (size_t k = 0; k < r->n_roles; k++)
			must(r->roles[k].n > 0);
	}
	vyx_conf_free(&c);
	return 0;
}

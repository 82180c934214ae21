/* SPDX-License-Identifier: ISC */
/* conf_check - what one value alone cannot show to be wrong. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/units.h"
#include "state/conf_int.h"
#include "vyx.h"

#define V(w, k) (&(w)->v[VYX_K_##k - VYX_K_WORKER])

/* ADDRESS:PORT, [IPV6]:PORT or unix:/PATH into its one spelling; NULL with
 * *why: no. inet_pton only reads the text. */
static const char *
listener(struct vyx_str s, char *into, size_t size, const char **why)
{
	struct vyx_str host = s, port = s;
	unsigned char raw[16];
	char text[INET6_ADDRSTRLEN];
	int family = AF_INET;
	uint64_t n;

	if (vyx_str_starts(s, VYX_STR("unix:"))) {
		*why = "unix: needs an absolute path of 107 bytes at most, no "
		       "blank in it: "
		       "unix:/run/vyx/http";
		if (s.n < 7 || s.p[5] != '/' || s.n - 5 > VYX_PATH_MAX ||
		    memchr(s.p, ' ', s.n))
			return NULL;
		snprintf(into, size, "%.*s", (int)s.n, s.p);
		return into;
	}
	*why = "write ADDRESS:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 for "
	       "every IPv4 address, [::1]:8080, or unix:/PATH";
	while (port.n && port.p[port.n - 1] != ':')
		port.n--;
	if (!port.n)
		return NULL;
	host.n = port.n - 1;
	port = (struct vyx_str){ s.p + port.n, s.n - port.n };
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		family = AF_INET6;
		host = (struct vyx_str){ host.p + 1, host.n - 2 };
	}
	if (host.n >= sizeof text)
		return NULL;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	if (inet_pton(family, text, raw) != 1)
		return NULL;
	*why = "the port must be 1 to 65535";
	if (!vyx_dec_scan(port, 65535, &n) || !n)
		return NULL;
	inet_ntop(family, raw, text, sizeof text);
	snprintf(into, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text,
	    (unsigned)n);
	return into;
}

static void
check_listen(struct vyx_conf *c)
{
	struct vyx_conf_val *v = &c->v[VYX_K_LISTEN];
	unsigned line = v->line ? v->line : 1;
	struct vyx_str *list;

	if (!v->n || v->n > 64)
		vyx_doc_error(&c->yaml, line, "listen",
		    "1 to 64 addresses are needed");
	if (!(list = vyx_notes_get(&c->notes, (v->n + 1) * sizeof *list)))
		return;
	for (size_t i = 0; i < v->n; i++) {
		const char *why;
		char text[128];

		if (!listener(v->list[i], text, sizeof text, &why)) {
			vyx_doc_error(&c->yaml, line, "listen",
			    "%s is no address: %s", VYX_SHOW(v->list[i]), why);
			continue;
		}
		list[i] = vyx_notes_copy(&c->notes, VYX_STRZ(text));
		for (size_t j = 0; j < i; j++)
			if (vyx_str_eq(list[i], list[j]))
				vyx_doc_error(&c->yaml, line, "listen",
				    "%s stands twice: keep one",
				    VYX_SHOW(list[i]));
	}
	v->list = list;
}

void
vyx_conf_check_globals(struct vyx_conf *c)
{
	struct vyx_conf_val *v = c->v;

	if (!v[VYX_K_PROJECT_NAME].text.n)
		vyx_doc_error(&c->yaml,
		    v[VYX_K_PROJECT_NAME].line ? v[VYX_K_PROJECT_NAME].line : 1,
		    "",
		    "project.name is required: add project: with name: "
		    "below it");
	check_listen(c);
	/* a breaker that takes two thousand million failures stays shut */
	if (v[VYX_K_BREAKER_FAILURES].off)
		v[VYX_K_BREAKER_FAILURES].num = INT32_MAX;
	if (!v[VYX_K_BREAKER_FAILURES].num)
		v[VYX_K_BREAKER_FAILURES].num = 5;
	if (!v[VYX_K_BREAKER_COOLDOWN].num)
		v[VYX_K_BREAKER_COOLDOWN].num = 30 * VYX_NS_S;
	if (!v[VYX_K_BREAKER_HALF_OPEN].num)
		v[VYX_K_BREAKER_HALF_OPEN].num = 1;
	if (v[VYX_K_RATE_PER_IP].num < 0) /* as 0: nothing passes */
		v[VYX_K_RATE_PER_IP].num = 0;
	if (v[VYX_K_RATE_PER_TOKEN].num < 0)
		v[VYX_K_RATE_PER_TOKEN].num = 0;
	if (!v[VYX_K_SOCKET_DIR].text.n || *v[VYX_K_SOCKET_DIR].text.p != '/')
		vyx_doc_error(&c->yaml, v[VYX_K_SOCKET_DIR].line,
		    "ipc.socket_dir",
		    "%s must be an absolute path, such as /tmp/vyx",
		    VYX_SHOW(v[VYX_K_SOCKET_DIR].text));
}

/* The words of a command with one blank between two, as a worker gets them. */
static struct vyx_str
words(struct vyx_conf *c, struct vyx_str s)
{
	char *p = vyx_notes_get(&c->notes, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; p && i < s.n; i++)
		if (s.p[i] != ' ')
			p[n++] = s.p[i];
		else if (n && p[n - 1] != ' ')
			p[n++] = ' ';
	while (n && p[n - 1] == ' ')
		n--;
	return (struct vyx_str){ p, n };
}

static int
has(struct vyx_str s, const char *what)
{
	return s.n && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

/* What the worker speaks, from its command and `protocol`. */
static void
check_protocol(struct vyx_conf *c, struct vyx_conf_worker *w)
{
	const struct vyx_conf_val *p = V(w, W_PROTOCOL), *id = V(w, W_ID);
	unsigned line = V(w, W_COMMAND)->line;
	int socket = has(V(w, W_COMMAND)->text, "{socket}"),
	    fd = has(V(w, W_COMMAND)->text, "{fd}");
	int said = p->line != 0, http = vyx_str_eq(p->text, VYX_STR("http"));

	if (socket && fd)
		vyx_doc_error(&c->yaml, line, "",
		    "workers[%zu].command has {socket} and {fd} (id: %s): "
		    "keep one",
		    w->at, VYX_SHOW(id->text));
	else if ((socket || fd) && said && !http)
		vyx_doc_error(&c->yaml, p->line, "",
		    "workers[%zu].protocol is vyx, but its command has %s "
		    "(id: %s): take out one of the two",
		    w->at, socket ? "{socket}" : "{fd}", VYX_SHOW(id->text));
	else if (!socket && !fd && !http)
		vyx_doc_warn(&c->yaml, line, "",
		    "workers[%zu] is a native vyx worker (id: %s), which a "
		    "later release will run: it is not started, its routes "
		    "answer 503. An HTTP server has {socket} or {fd} in its "
		    "command",
		    w->at, VYX_SHOW(id->text));
	if (socket || fd)
		V(w, W_PROTOCOL)->text = VYX_STR("http");
}

/* pool_size is max_size by its older name; both must say the same. */
static void
check_pool(struct vyx_conf *c, struct vyx_conf_worker *w)
{
	struct vyx_conf_val *max = V(w, W_MAX_SIZE), *old = V(w, W_POOL_SIZE);
	struct vyx_conf_val *min = V(w, W_MIN_IDLE);

	if (old->num && max->line && max->num != old->num)
		vyx_doc_error(&c->yaml, old->line, "",
		    "workers[%zu].pool_size is %lld, pool.max_size %lld: they "
		    "mean the same, keep one",
		    w->at, (long long)old->num, (long long)max->num);
	else if (old->num) {
		max->num = old->num;
		max->line = old->line;
	}
	if (min->num > max->num && min->line)
		vyx_doc_warn(&c->yaml, min->line, "",
		    "workers[%zu].pool.min_idle is more than max_size: %lld "
		    "is used",
		    w->at, (long long)max->num);
	if (min->num > max->num)
		min->num = max->num;
}

/* A name that an instance of another worker has too: `a` with replicas has
 * a-0, a-1 ... */
static void
check_names(struct vyx_conf *c, const struct vyx_conf_worker *w)
{
	struct vyx_str id = w->v[0].text, num = { NULL, 0 }, base = id;
	const struct vyx_conf_worker *other = vyx_conf_worker(c, id);
	uint64_t n;

	if (other != w) {
		vyx_doc_error(&c->yaml, w->v[0].line, "",
		    "workers[%zu].id %s is taken by workers[%zu] in line %u: "
		    "choose another",
		    w->at, VYX_SHOW(id), other->at, other->line);
		return;
	}
	while (base.n && base.p[base.n - 1] != '-')
		base.n--;
	if (!base.n--)
		return;
	num = (struct vyx_str){ id.p + base.n + 1, id.n - base.n - 1 };
	other = vyx_conf_worker(c, base);
	if (other && vyx_dec_scan(num, INT32_MAX, &n) &&
	    V(other, W_REPLICAS)->num > 1 &&
	    n < (uint64_t)V(other, W_REPLICAS)->num)
		vyx_doc_error(&c->yaml, w->v[0].line, "",
		    "workers[%zu].id %s is also the name of a replica of "
		    "workers[%zu]: choose another",
		    w->at, VYX_SHOW(id), other->at);
}

static void
check_id(struct vyx_conf *c, const struct vyx_conf_worker *w)
{
	struct vyx_str id = w->v[0].text;

	if (!id.n)
		vyx_doc_error(&c->yaml, w->line, "",
		    "workers[%zu].id is required", w->at);
	else if (!vyx_conf_id_ok(id))
		vyx_doc_error(&c->yaml, w->v[0].line, "",
		    "workers[%zu].id %s must be letters, digits, . _ : and -, "
		    "%d bytes at most",
		    w->at, VYX_SHOW(id), VYX_CONF_ID);
	else
		check_names(c, w);
}

static void
check_texts(struct vyx_conf *c, struct vyx_conf_worker *w)
{
	const struct vyx_conf_val *health = V(w, W_HEALTH),
	                          *user = V(w, W_USER);
	uint64_t uid;

	if (V(w, W_COMMAND)->text.n == 0)
		vyx_doc_error(&c->yaml, w->line, "",
		    "workers[%zu].command is required (id: %s)", w->at,
		    VYX_SHOW(w->v[0].text));
	if (health->text.n &&
	    (*health->text.p != '/' || health->text.n > 1024 ||
	        memchr(health->text.p, ' ', health->text.n)))
		vyx_doc_error(&c->yaml, health->line, "",
		    "workers[%zu].health %s must be a path, such as /health",
		    w->at, VYX_SHOW(health->text));
	if (user->text.n && user->text.p[0] >= '0' && user->text.p[0] <= '9' &&
	    !vyx_dec_scan(user->text, UINT32_MAX - 1, &uid))
		vyx_doc_error(&c->yaml, user->line, "",
		    "workers[%zu].user %s is no user number", w->at,
		    VYX_SHOW(user->text));
	if (user->text.n > 64 || memchr(user->text.p, ' ', user->text.n))
		vyx_doc_error(&c->yaml, user->line, "",
		    "workers[%zu].user %s must be a name, a number or auto",
		    w->at, VYX_SHOW(user->text));
}

void
vyx_conf_check_workers(struct vyx_conf *c)
{
	for (size_t i = 0; i < c->n_workers; i++) {
		struct vyx_conf_worker *w = &c->workers[i];

		V(w, W_COMMAND)->text = words(c, V(w, W_COMMAND)->text);
		check_id(c, w);
		check_texts(c, w);
		if (V(w, W_COMMAND)->text.n)
			check_protocol(c, w);
		check_pool(c, w);
		if (!V(w, W_REPLICAS)->num)
			V(w, W_REPLICAS)->num = 1;
		if (!V(w, W_SHUTDOWN)->num)
			V(w, W_SHUTDOWN)->num = 30 * VYX_NS_S;
		if (V(w, W_STARTUP)->num < 0)
			V(w, W_STARTUP)->num = 0;
	}
}

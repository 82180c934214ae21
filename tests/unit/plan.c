/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/units.h"
#include "state/plan.h"

/*
 * What the registry says, record by record, and what lib/state/plan.h makes
 * of it. Each test takes back all it put and finds nothing left: with `make
 * asan` nothing leaked either. Not tested: want of memory.
 */

static struct vyx_plan p;
static struct vyx_window *win;
static uint64_t now;
static char said[4096]; /* what the plan told, a word each */

__attribute__((format(printf, 1, 2))) static void
say(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof said - n, fmt, ap);
	va_end(ap);
}

/* What has been told since the last look. */
static const char *
heard(void)
{
	static char was[sizeof said];

	memcpy(was, said, sizeof was);
	said[0] = '\0';
	return was;
}

static void
on_note(struct vyx_plan *plan, struct vyx_str route, struct vyx_str other,
    const char *why, int fatal)
{
	assert_ptr_equal(plan, &p);
	say("%.*s,%.*s%s: %s\n", (int)route.n, route.p, (int)other.n, other.p,
	    fatal ? "!" : "", why);
}

static void
on_slot(struct vyx_plan *plan, unsigned slot, int ready)
{
	assert_ptr_equal(plan, &p);
	say("slot=%u/%d ", slot, ready);
}

static void
on_listener(struct vyx_plan *plan, struct vyx_str addr, int tls)
{
	assert_ptr_equal(plan, &p);
	say("%.*s/%d ", (int)addr.n, addr.p, tls);
}

static int
dial(void *arg)
{
	(void)arg;
	return 0;
}

static int
setup(void **state)
{
	static const struct vyx_window_ops ops = { .dial = dial };

	(void)state;
	now = 1000 * VYX_NS_S;
	said[0] = '\0';
	win = vyx_window_new(&ops, NULL, VYX_P_ROUTE, "route.0", 1);
	assert_non_null(win);
	p = (struct vyx_plan){ .window = win,
		.on_note = on_note,
		.on_slot = on_slot,
		.on_listener = on_listener };
	assert_true(vyx_plan_start(&p));
	return 0;
}

/* A row; `columns` are lines of a record. */
static void
put(const char *table, const char *key, const char *columns)
{
	struct vyx_rec row;
	char text[4096];
	int n = snprintf(text, sizeof text,
	    "put\nid=1\ntable=%s\nkey=%s\nrev=1\n%s\n", table, key, columns);

	assert_true(n > 0 && (size_t)n < sizeof text);
	if (!vyx_rec_parse(&row, VYX_E_READ, VYX_LISTENS, text, (size_t)n, 1))
		fail_msg("%s %s: %s", table, key, row.text);
	vyx_plan_put(&p, &row, now);
	memset(text, '#', sizeof text); /* rows are copied */
}

static void
del(const char *table, const char *key)
{
	vyx_plan_del(&p, vyx_rec_table(VYX_STRZ(table)), VYX_STRZ(key), now);
}

static void
commit(void)
{
	assert_true(vyx_plan_commit(&p, now));
}

/* All rows are gone: so is all that came of them. */
static int
teardown(void **state)
{
	(void)state;
	commit();
	assert_non_null(p.table);
	assert_int_equal(p.table->n, 0);
	assert_int_equal(p.table->refs, 1);
	vyx_plan_table_left(&p, p.table);
	assert_null(p.workers);
	assert_null(p.schemas);
	assert_int_equal(vyx_plan_connections(&p), 0);
	free(p.rows);
#define X(member, key, value)         \
	vyx_buf_free(&p.text.member); \
	vyx_buf_free(&p.text_coming.member);
	VYX_PLAN_TEXTS(X)
#undef X
	vyx_window_free(win);
	return 0;
}

static void
text_is(const struct vyx_buf *b, const char *want)
{
	assert_int_equal(b->n, strlen(want));
	if (b->n)
		assert_memory_equal(b->p, want, b->n);
}

/* What GET of the path leads to in a table; NULL: nothing. */
static struct vyx_plan_target *
target(const struct vyx_plan_table *t, const char *path)
{
	struct vyx_route_query q = { .host = VYX_STR("h"),
		.path = VYX_STRZ(path),
		.method = VYX_METHOD_GET };
	struct vyx_route_hit hit;

	if (vyx_route_match(t->routes, &q, &hit) != VYX_ROUTE_HIT)
		return NULL;
	return hit.user;
}

static struct vyx_policy *
policy(const char *path)
{
	struct vyx_plan_target *t = target(p.table, path);

	return t ? t->policy : NULL;
}

/* ---- settings --------------------------------------------------------- */

static void
test_defaults(void **state)
{
	(void)state;
	assert_true(p.set.header_timeout == 10 * VYX_NS_S);
	assert_true(p.set.global_timeout == 30 * VYX_NS_S);
	assert_true(p.set.tunnel_timeout == 3600 * VYX_NS_S);
	assert_true(p.set.payload_max == 1048576);
	assert_true(p.set.security_headers == 1);
	assert_true(p.set.per_ip == VYX_POLICY_OFF);
	assert_true(p.set.per_token == VYX_POLICY_OFF);
	assert_true(p.set.cooldown == 30 * VYX_NS_S);
	assert_true(p.set.half_open_max == 3);
	assert_true(p.set.cors_max_age == 600 * VYX_NS_S);
	text_is(&p.text.access_log, "json");
	text_is(&p.text.cors_origins, "");
	text_is(&p.text.jwt_secret_env, "JWT_SECRET");
	text_is(&p.text.cors_methods, "GET HEAD POST PUT PATCH DELETE");
}

static void
test_settings(void **state)
{
	unsigned changes;

	(void)state;
	commit();
	changes = p.changes;
	put("setting", "security.global_timeout", "value=1500\n");
	put("setting", "security.payload_max_size", "value=0\n");
	put("setting", "gateway.access_log", "value=text\n");
	put("setting", "cors.origins", "value=https://a.example http://b\n");
	put("setting", "gateway.no_such_key", "value=1\n");
	/* until the commit what was holds */
	assert_true(p.set.global_timeout == 30 * VYX_NS_S);
	text_is(&p.text.access_log, "json");
	assert_int_equal(p.changes, changes);
	commit();
	assert_true(p.set.global_timeout == 1500 * VYX_NS_MS);
	assert_true(p.set.payload_max == 0);
	assert_true(p.set.header_timeout == 10 * VYX_NS_S);
	text_is(&p.text.access_log, "text");
	text_is(&p.text.cors_origins, "https://a.example http://b");
	assert_int_equal(p.changes, changes + 1);
	/* one without changes is none */
	commit();
	assert_int_equal(p.changes, changes + 1);
	/* shorter, and empty; a row that is gone is back at its default */
	put("setting", "cors.origins", "value=\n");
	put("setting", "gateway.access_log", "value=off\n");
	del("setting", "security.global_timeout");
	assert_true(p.set.global_timeout == 1500 * VYX_NS_MS);
	commit();
	text_is(&p.text.cors_origins, "");
	text_is(&p.text.access_log, "off");
	assert_true(p.set.global_timeout == 30 * VYX_NS_S);
	assert_true(p.set.payload_max == 0);
	assert_int_equal(p.changes, changes + 2);
	del("setting", "gateway.access_log");
	del("setting", "security.payload_max_size");
	del("setting", "no.such");
	commit();
	text_is(&p.text.access_log, "json");
	assert_true(p.set.payload_max == 1048576);
	assert_string_equal(heard(), "");
}

static void
test_bad_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "1s", "0x10", " 1",
		"9223372036855", "99999999999999999999999" };
	char line[64];

	(void)state;
	put("setting", "gateway.idle_timeout", "value=7\n");
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		snprintf(line, sizeof line, "value=%s\n", bad[i]);
		put("setting", "gateway.idle_timeout", line);
		commit();
		assert_true(p.set.idle_timeout == 7 * VYX_NS_MS);
	}
	put("setting", "gateway.idle_timeout", "value=9223372036854\n");
	commit();
	assert_true(p.set.idle_timeout == UINT64_C(9223372036854000000));
}

/* ---- routes ----------------------------------------------------------- */

#define ROUTE(path) "method=GET\npath=" path "\nworker=w\n"

static void
test_routes(void **state)
{
	struct vyx_plan_table *old, *first;

	(void)state;
	put("route", "a", ROUTE("/a"));
	put("route", "b",
	    "host=h\nmethod=GET\nmethod=POST\npath=/b\nworker=w2\n"
	    "role=admin\nlimits=payload=5\n");
	assert_null(p.table);
	commit();
	first = p.table;
	assert_int_equal(first->n, 2);
	assert_string_equal(target(first, "/a")->worker->id, "w");
	assert_string_equal(target(first, "/b")->worker->id, "w2");
	assert_int_equal(policy("/b")->n_roles, 1);
	assert_true(policy("/b")->payload_max == 5);
	/* nothing changed: the same */
	commit();
	assert_ptr_equal(p.table, first);
	/* one that is in use keeps what it has */
	first->refs++;
	del("route", "b");
	put("route", "a", ROUTE("/a") "role=user\n");
	put("route", "c", ROUTE("/c"));
	assert_ptr_equal(p.table, first);
	commit();
	assert_ptr_not_equal(p.table, first);
	assert_null(policy("/b"));
	assert_non_null(policy("/c"));
	assert_int_equal(policy("/a")->n_roles, 1);
	assert_int_equal(first->refs, 1);
	assert_int_equal(target(first, "/a")->policy->n_roles, 0);
	assert_int_equal(target(first, "/b")->policy->n_roles, 1);
	assert_string_equal(target(first, "/b")->worker->id, "w2");
	assert_null(target(first, "/c"));
	/* and two of them, left in the order they were not taken */
	old = p.table;
	old->refs++;
	del("route", "a");
	del("route", "c");
	del("route", "no-such");
	commit();
	vyx_plan_table_left(&p, old);
	assert_string_equal(target(first, "/a")->worker->id, "w");
	vyx_plan_table_left(&p, first);
	assert_string_equal(heard(), "");
}

static void
test_bad_rows(void **state)
{
	struct vyx_plan_table *t;

	(void)state;
	put("route", "a", ROUTE("/a"));
	commit();
	/* refused whole: a route for nobody, so that no other has its requests
	 */
	put("route", "a", ROUTE("/b") "limits=payload=x\n");
	assert_string_equal(heard(), "a,a!: limits cannot be read\n");
	put("route", "n", ROUTE("/n") "headers=q%00 A\n");
	assert_string_equal(heard(), "n,n!: headers cannot be read\n");
	put("route", "n", "method=GET\npath=/n\n");
	assert_non_null(strstr(heard(), "worker"));
	commit();
	assert_null(policy("/a"));
	assert_true(policy("/b")->unusable && policy("/n")->unusable);
	assert_string_equal(target(p.table, "/n")->worker->id, "-");
	/* a table that cannot be: the one of before stays, until it can */
	t = p.table;
	put("route", "x", ROUTE("/a/*rest/x"));
	assert_false(vyx_plan_commit(&p, now));
	assert_ptr_equal(p.table, t);
	assert_int_equal(t->refs, 1);
	assert_string_equal(heard(), "x,x!: *name is not the last\n");
	assert_false(vyx_plan_commit(&p, now));
	del("route", "x");
	commit();
	assert_ptr_not_equal(p.table, t);
	/* two alike: the later key wins, and it is said */
	put("route", "a", ROUTE("/a"));
	heard();
	put("route", "a2", ROUTE("/a") "role=r\n");
	commit();
	assert_int_equal(policy("/a")->n_roles, 1);
	assert_string_equal(heard(),
	    "a2,a: takes the place of an earlier route\n");
	del("route", "a2");
	del("route", "a");
	del("route", "n");
}

/* Of many alike the one with the last key, however they came. */
static void
test_order(void **state)
{
	static const char *const key[] = { "m", "b", "z", "a", "y", "c", "x" };

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(key); i++) {
		put("route", key[i], ROUTE("/a"));
		commit();
		assert_true(vyx_str_eq(policy("/a")->key,
		    VYX_STRZ(i < 2 ? "m" : "z")));
	}
	for (size_t i = 0; i < VYX_COUNT(key); i++)
		del("route", key[i]);
}

static void
test_breakers(void **state)
{
	struct vyx_breaker_conf c = vyx_breaker_conf(1, 30 * VYX_NS_S, 1);
	struct vyx_breaker_permit one, two;
	struct vyx_policy *was;
	struct vyx_plan_table *t;
	uint32_t s;

	(void)state;
	put("route", "a", ROUTE("/a"));
	put("route", "b", ROUTE("/b"));
	commit();
	was = policy("/a");
	assert_true(vyx_breaker_enter(&was->breaker, &c, now, &two, &s));
	assert_true(vyx_breaker_enter(&was->breaker, &c, now, &one, &s));
	assert_true(vyx_breaker_leave(&was->breaker, &c, now, &one,
	    VYX_BREAKER_BAD));
	/* the table is built anew for another: it is the same one */
	put("route", "b", ROUTE("/b") "role=r\n");
	commit();
	assert_ptr_equal(policy("/a"), was);
	assert_string_equal(vyx_breaker_word(&policy("/a")->breaker), "open");
	assert_string_equal(vyx_breaker_word(&policy("/b")->breaker), "closed");
	/* its own row changes: a new one, open as long */
	t = p.table;
	t->refs++;
	put("route", "a", ROUTE("/a") "limits=payload=1\n");
	commit();
	assert_ptr_not_equal(policy("/a"), was);
	assert_int_equal(vyx_breaker_shut(&policy("/a")->breaker, &c,
	                     now + 10 * VYX_NS_S),
	    20);
	/* what the old one let in still ends there */
	assert_false(vyx_breaker_leave(&was->breaker, &c, now, &two,
	    VYX_BREAKER_GOOD));
	vyx_plan_table_left(&p, t);
	/* gone and come again: another route */
	del("route", "a");
	put("route", "a", ROUTE("/a"));
	commit();
	assert_string_equal(vyx_breaker_word(&policy("/a")->breaker), "closed");
	del("route", "a");
	del("route", "b");
}

/* ---- schemas ---------------------------------------------------------- */

/* Whether the schema of /a takes the document; -1: it has none. */
static int
takes(const struct vyx_plan_table *t, const char *doc)
{
	const struct vyx_plan_schema *s = target(t, "/a")->schema;
	struct vyx_schema_error err;
	json_t *d;
	int ok;

	if (!s || !s->schema)
		return -1;
	d = vyx_schema_doc(VYX_STRZ(doc), &err);
	assert_non_null(d);
	ok = vyx_schema_check(s->schema, d, NULL, NULL);
	json_decref(d);
	return ok;
}

#define NO_SCHEMA "a,a!: its schema cannot be used: bodies are refused\n"

static void
test_schemas(void **state)
{
	struct vyx_plan_table *old;

	(void)state;
	put("route", "a", ROUTE("/a") "validate=s\n");
	commit();
	assert_string_equal(heard(), NO_SCHEMA);
	assert_int_equal(takes(p.table, "1"), -1);
	/* it comes later; one of another name says nothing */
	put("schema", "other", "text=false\n");
	put("schema", "s", "text={\"type\":\"string\"}\n");
	commit();
	assert_string_equal(heard(), "");
	assert_int_equal(takes(p.table, "\"x\""), 1);
	assert_int_equal(takes(p.table, "1"), 0);
	/* changed: the next table has the new, the one in use the old */
	old = p.table;
	old->refs++;
	put("schema", "s", "text={\"type\":\"number\"}\n");
	assert_int_equal(takes(p.table, "1"), 0);
	commit();
	assert_ptr_not_equal(p.table, old);
	assert_int_equal(takes(p.table, "1"), 1);
	assert_int_equal(takes(p.table, "\"x\""), 0);
	assert_int_equal(takes(old, "\"x\""), 1);
	/* one that is none */
	put("schema", "s", "text={\"type\":\"nonsense\"}\n");
	commit();
	assert_int_equal(takes(p.table, "1"), -1);
	assert_non_null(strstr(said, "s,s!: /"));
	assert_non_null(strstr(heard(), NO_SCHEMA));
	del("schema", "s");
	commit();
	assert_string_equal(heard(), NO_SCHEMA);
	assert_int_equal(takes(p.table, "1"), -1);
	assert_int_equal(takes(old, "\"x\""), 1);
	vyx_plan_table_left(&p, old);
	del("schema", "other");
	del("schema", "no-such");
	del("route", "a");
}

static void
test_formats(void **state)
{
	struct vyx_plan_table *old;

	(void)state;
	put("route", "a", ROUTE("/a") "validate=s\n");
	put("schema", "s", "text={\"format\":\"ipv4\"}\n");
	put("schema", "t", "text=true\n");
	commit();
	assert_int_equal(takes(p.table, "\"x\""), 1);
	old = p.table;
	old->refs++;
	put("setting", "security.schema_formats", "value=1\n");
	commit();
	assert_ptr_not_equal(p.table, old);
	assert_int_equal(takes(p.table, "\"x\""), 0);
	assert_int_equal(takes(p.table, "\"192.0.2.1\""), 1);
	assert_int_equal(takes(old, "\"x\""), 1);
	vyx_plan_table_left(&p, old);
	/* compiled once: the same table until something changes */
	old = p.table;
	commit();
	put("setting", "security.schema_formats", "value=2\n");
	commit();
	assert_ptr_equal(p.table, old);
	/* a format that nobody knows is refused only where it is asserted */
	put("schema", "s", "text={\"format\":\"own\"}\n");
	commit();
	assert_int_equal(takes(p.table, "\"x\""), -1);
	heard();
	del("setting", "security.schema_formats");
	commit();
	assert_int_equal(takes(p.table, "\"x\""), 1);
	assert_string_equal(heard(), "");
	del("schema", "s");
	del("schema", "t");
	del("route", "a");
}

/* ---- workers ---------------------------------------------------------- */

#define ENDPOINT(worker, state) \
	"worker=" worker "\npath=/s\nmax=4\nstate=" state "\n"

static struct vyx_plan_worker *
worker(const char *id)
{
	struct vyx_plan_worker *w = p.workers;

	while (w && strcmp(w->id, id))
		w = w->next;
	return w;
}

static void
test_endpoints(void **state)
{
	struct vyx_plan_worker *w;

	(void)state;
	put("endpoint", "w#1", ENDPOINT("w", "up"));
	put("endpoint", "w#2", ENDPOINT("w", "draining"));
	put("endpoint", "w#3", ENDPOINT("w", "down"));
	w = worker("w");
	assert_non_null(w);
	assert_int_equal(w->endpoints, 1);
	assert_int_equal(w->draining, 1);
	put("endpoint", "w#1", ENDPOINT("w", "up"));
	assert_int_equal(w->endpoints, 1);
	put("endpoint", "w#1", ENDPOINT("w", "draining"));
	assert_int_equal(w->endpoints, 0);
	assert_int_equal(w->draining, 2);
	put("endpoint", "w#1", ENDPOINT("w", "draining"));
	assert_int_equal(w->draining, 2);
	put("endpoint", "w#2", ENDPOINT("w", "up"));
	assert_int_equal(w->endpoints, 1);
	assert_int_equal(w->draining, 1);
	/* of another worker from now on */
	put("endpoint", "w#2", ENDPOINT("v", "up"));
	put("endpoint", "w#1", ENDPOINT("v", "draining"));
	assert_int_equal(w->endpoints + w->draining, 0);
	assert_int_equal(worker("v")->endpoints, 1);
	assert_int_equal(worker("v")->draining, 1);
	del("endpoint", "w#1");
	assert_int_equal(worker("v")->draining, 0);
	del("endpoint", "w#3");
	assert_null(worker("w")); /* nothing names it any more */
	del("endpoint", "w#2");
	del("endpoint", "w#2");
	assert_null(p.workers);
}

static void
test_workers(void **state)
{
	struct vyx_plan_worker *w;

	(void)state;
	put("worker", "w", "replicas=3\nmax-size=10\nwait-ms=250\n");
	put("worker", "one", "max-size=7\n");
	assert_int_equal(vyx_plan_connections(&p), 37);
	w = worker("w");
	assert_true(w->wait_ns == 250 * VYX_NS_MS);
	assert_false(vyx_plan_up(w));
	/* vyx-poold has not spoken: the registry is believed */
	put("endpoint", "w#1", ENDPOINT("w", "up"));
	assert_true(vyx_plan_up(w));
	vyx_plan_said(&p, VYX_STR("w"), 0);
	assert_false(vyx_plan_up(w));
	vyx_plan_said(&p, VYX_STR("w"), 1);
	assert_true(vyx_plan_up(w));
	vyx_plan_said(&p, VYX_STR("w"), 0);
	put("endpoint", "w#2", ENDPOINT("w", "up"));
	assert_true(vyx_plan_up(w)); /* one has come since */
	vyx_plan_said(&p, VYX_STR("w"), 0);
	put("endpoint", "w#2", ENDPOINT("w", "up"));
	assert_false(vyx_plan_up(w)); /* the same again is none */
	vyx_plan_said(&p, VYX_STR("w"), 1);
	vyx_plan_said(&p, VYX_STR("no-such"), 0);
	/* its row is gone: nobody waits for it; it stays while it is named */
	put("route", "r", ROUTE("/r"));
	commit();
	del("worker", "w");
	put("endpoint", "one#1", ENDPOINT("one", "up"));
	del("endpoint", "one#1");
	assert_non_null(worker("one")); /* its row is there */
	del("worker", "one");
	assert_null(worker("one"));
	assert_false(vyx_plan_up(w));
	assert_int_equal(vyx_plan_connections(&p), 0);
	assert_ptr_equal(worker("w"), w);
	del("endpoint", "w#1");
	del("endpoint", "w#2");
	del("route", "r");
	assert_ptr_equal(worker("w"), w); /* the table */
	put("worker", "w", "replicas=1\nmax-size=2\n");
	assert_ptr_equal(worker("w"), w);
	assert_int_equal(vyx_plan_connections(&p), 2);
	w->refs++; /* a request */
	del("worker", "w");
	commit();
	assert_ptr_equal(worker("w"), w);
	vyx_plan_worker_left(&p, w);
	assert_null(p.workers);
}

static void
test_slots(void **state)
{
	(void)state;
	put("proc", "route.1",
	    "program=vyx-route\npid=7\nslot=1\nstate=starting\n");
	assert_string_equal(heard(), "slot=1/0 ");
	put("proc", "route.1",
	    "program=vyx-route\npid=7\nslot=1\nstate=ready\n");
	assert_non_null(strstr(heard(), "slot=1/1 "));
	put("proc", "poold", "program=vyx-poold\npid=8\nslot=0\nstate=ready\n");
	assert_string_equal(heard(), "");
	del("proc", "route.1");
	assert_string_equal(heard(), "slot=1/0 ");
	del("proc", "poold");
	put("listener", "127.0.0.1:80", "tls=1\n");
	put("listener", "[::1]:80", "tls=0\n");
	assert_string_equal(heard(), "127.0.0.1:80/1 [::1]:80/0 ");
	put("source", "s", "uid=1\n"); /* not ours */
	assert_string_equal(heard(), "");
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_settings),
		TEST(test_bad_numbers),
		TEST(test_routes),
		TEST(test_bad_rows),
		TEST(test_order),
		TEST(test_breakers),
		TEST(test_schemas),
		TEST(test_formats),
		TEST(test_endpoints),
		TEST(test_workers),
		TEST(test_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#ifndef VYX_ROUTE_ROUTER_H
#define VYX_ROUTE_ROUTER_H

#include "base/prog.h"
#include "state/cidr.h"
#include "state/cors.h"
#include "state/jwt_cache.h"
#include "state/limit.h"
#include "state/plan.h"
#include "state/route.h"
#include "state/window.h"
#include "sys/chan.h"
#include "sys/conn.h"
#include "sys/ctl.h"
#include "sys/doors.h"
#include "sys/lines.h"
#include "sys/reg.h"
#include "sys/shm.h"
#include "sys/wall.h"
#include "wire/body.h"

/*
 * vyx-route - the HTTP gateway.
 *
 *	main.c	   start, drain, stop
 *	client.c   a client's connection: its life, time-outs, its end
 *	front.c	   ... what is read of it			      HOP 1
 *	write.c	   ... what goes out to it
 *	decide.c   route, own answers, a connection or a wait	      HOP 2, 3
 *	policy.c   ... rates, breaker, tokens, roles, other origins
 *	doc.c	   ... content that a schema looks at
 *	stream.c   ... content that is passed on while it comes
 *	gate.c	   what the settings make of all that
 *	relay.c	   content both ways, tunnels			      HOP 5
 *	back.c	   a worker's connection on loan: its life, answers in
 *	send.c	   ... the request out
 *	retry.c	   what follows when that fails
 *	done.c	   the end of an exchange: figures, one line	      HOP 6
 *	line.c	   ... the line
 *	pool.c	   the edge to vyx-poold
 *	watch.c	   the edge to vyx-regd, and what a commit changes
 *	figures.c  what `stat` answers
 *
 * An exchange knows its two ends as two `struct side`s; deciding, waiting,
 * retrying, relaying and logging see those and a parsed head, and no socket.
 */

#define HELD_BODY \
	65536 /* of known length: read before a connection is
                           * taken, and kept for a retry */
#define AHEAD_MAX (16777216 / VYX_SLAB) /* answers far ahead of their clients */
#define AHEAD_LEAST 16384 /* ... bytes that every answer may be ahead */
#define TRAILERS_MAX 8192 /* bytes of a trailer section */
#define ATTEMPTS 3        /* the first, and two retries */
#define BODY_GRACE_NS (UINT64_C(5) * VYX_SEC) /* before body_min_rate binds */

struct router;
struct exchange;
struct client;

/*
 * One end of an exchange. What is said to it goes towards the socket there;
 * what comes from there it says to the other end.
 */
struct side {
	/* A head: the front's is x->ans, 1xx or final; the back's x->req.
	 * 0: no room now, `pull` follows. */
	int (*head)(struct exchange *x);
	/* Bytes of content it takes now. */
	size_t (*room)(struct exchange *x);
	void (*body)(struct exchange *x, struct vyx_str piece);
	void (*end)(struct exchange *x, const struct vyx_http1 *trailers);
	/* The other end has room again: go on. */
	void (*pull)(struct exchange *x);
	/* The message cannot be finished. */
	void (*abort)(struct exchange *x);
};

struct exchange {
	/* Heads. Once read, their parsers serve for the trailers. */
	struct vyx_http1 req, ans;

	/* All from here on is zero at the start. */
	struct router *r;
	struct exchange *next; /* of the free ones */
	const struct side *front;
	struct client *client; /* NULL: it went */
	const char *peer;      /* whom it is from, as text */
	const uint8_t *ip;     /* ... NULL: a Unix socket */
	struct back *back;     /* the connection it has, or NULL */
	struct vyx_half up;    /* the request, while it has none */

	/* The request. */
	struct vyx_body in;
	struct vyx_buf canon; /* the path, when it is not so in the head */
	struct vyx_buf user;  /* sub of its token */
	struct vyx_buf doc;   /* content that a schema is to look at */
	size_t doc_at;        /* ... passed on */
	struct vyx_str method, path;
	struct vyx_str id;
	char id_room[VYX_UUID];
	char trace[VYX_FORWARD_TRACE]; /* a trace that begins here */
	char peer_room[46];            /* of a client behind a proxy */
	uint8_t ip_room[16];
	enum vyx_method verb;
	uint8_t old;       /* HTTP/1.0 */
	uint8_t keep;      /* the client goes on after this */
	uint8_t websocket; /* asks for it, on a route that grants it */
	uint8_t reads_trailers;
	uint8_t expects;  /* 100-continue, unanswered */
	uint8_t bodyless; /* it has no content */
	uint8_t chunked;
	uint8_t hold_all; /* wait for its end before a connection is taken */
	uint8_t doc_on;   /* ... in `doc`, and not all of it passed on */
	uint8_t in_end;   /* all of it was read */
	uint8_t tls;      /* he came by TLS */
	uint8_t traced;   /* `trace` is sent */
	uint8_t cors;     /* browsers of other origins are told */
	uint16_t refuse;  /* the content is not taken: the status to say */
	uint8_t stall_up; /* the front waits for room in the back */
	uint64_t in_bytes;

	/* The answer. */
	struct vyx_body from;
	enum vyx_http1_framing out; /* as it goes to the client */
	unsigned status;
	uint8_t headed; /* a head of it is in, and waits for room */
	uint8_t begun;  /* its final head went out */
	uint8_t ended;
	uint8_t kept;       /* the worker keeps its connection behind it */
	uint8_t stall_down; /* the back waits for room in the front */
	uint64_t stalled;   /* ns: how long it has, before now */
	uint8_t tunnel;
	uint8_t discard; /* only the rest of the request is awaited */
	uint64_t out_bytes;

	struct vyx_plan_table *table;
	const struct vyx_plan_target *target; /* in the table, or NULL */
	struct vyx_policy *policy;            /* its */
	struct vyx_breaker_permit permit;
	struct vyx_plan_worker *worker;
	struct vyx_waiter wait;
	struct vyx_plan_place line; /* prev NULL: it does not stand there */
	uint8_t placed;
	struct vyx_timer timer;
	unsigned attempt;
	char instance[VYX_POOL_I + 1];

	/* ns: head in, last of the request moved, connection, first byte */
	uint64_t t_start, t_moved, t_taken, t_byte;
};

/* A worker's connection, on loan. */
struct back {
	struct vyx_conn conn;
	struct vyx_wconn *w;
	struct router *r;
	struct exchange *x; /* NULL: idle */
	struct back *next;  /* of the free ones */
	struct vyx_task reap;
	uint64_t began; /* the turn this exchange began in */
	unsigned sends; /* of this exchange */
	uint8_t deaf;   /* the worker reads no more */
};

enum client_state { C_IDLE, C_HEAD, C_BUSY, C_LINGER, C_TUNNEL, C_DEAD };

struct client {
	struct vyx_conn conn;
	struct router *r;
	struct client *next, **prev;
	struct exchange *x; /* HEAD, BUSY, TUNNEL */
	struct vyx_timer timer;
	struct vyx_task run, reap;
	uint64_t since;          /* ns: of this state */
	uint64_t pace_due, pace; /* ns: so many bytes must be sent by then */
	size_t head;             /* bytes at the start of `in` that stay */
	uint8_t state;
	uint8_t last;  /* closed after what is in `out` */
	uint8_t ahead; /* counted in router.ahead */
	struct vyx_guest guest;
};

struct counts {
	uint64_t requests, classes[6], aborted, retries, refused, tunnels;
	uint64_t limited, unauthorized, forbidden, invalid, shut;
};

enum log_form { LOG_JSON, LOG_TEXT, LOG_OFF };

/* What the settings make; see gate.c. */
struct gate {
	unsigned changes; /* vyx_plan.changes at the time */
	enum log_form log;
	struct vyx_jwt_keys *keys; /* NULL: every token is refused */
	struct vyx_jwt_rules rules;
	struct vyx_str audience[16];
	struct vyx_jwt_cache *cache;
	struct vyx_cidrs trusted;
	struct vyx_cors cors;
	struct vyx_breaker_conf breaker;
	struct vyx_shm shm;
	struct vyx_limit limit;
	int limited; /* rates are counted */
};

struct router {
	struct vyx_loop loop;
	struct vyx_slabs slabs;
	struct vyx_opt opt;
	const char *run;
	char name[32]; /* route.N */

	struct vyx_doors doors;
	struct client *clients;
	unsigned ahead;
	struct exchange *free_x;
	struct back *free_back;

	struct vyx_reg reg;
	struct vyx_plan plan;
	int ready;
	int binds; /* the registry's listeners, for nobody gave us any */
	struct vyx_timer ready_late;

	struct vyx_window *window;
	struct vyx_chan pool;
	int pool_open;
	struct vyx_buf pool_out;
	struct vyx_task turn;
	struct vyx_timer turn_due;

	struct vyx_lines log;
	struct vyx_ctl ctl;
	struct counts counts;
	struct gate gate;
	/* Lines of one answer in the making: no room of its own is to be
	 * cleared for each. */
	char lines[2 * VYX_CORS_LINES];
	size_t docs; /* bytes of all `doc` */
	struct vyx_task places;
	unsigned routers; /* that are ready, we too */
	int draining;
	struct vyx_timer drain;
	struct vyx_timer drain_idle;
	struct vyx_wall wall;
	uint64_t fds; /* descriptors that we may have */
};

/* Bytes of a head, either way. */
static inline uint32_t
head_limit(const struct router *r)
{
	uint64_t most = r->plan.set.max_head;

	return most < VYX_HTTP1_HEAD_MAX ? (uint32_t)most : VYX_HTTP1_HEAD_MAX;
}

/* All of the request was read, and lies in the buffer towards the worker or
 * behind it. */
static inline int
all_in(const struct exchange *x)
{
	return x->in_end && !x->doc_on;
}

/* The next byte of the request is the client's to send: the worker owes no
 * answer yet, and client.c sees to him. */
static inline int
client_owes(const struct exchange *x)
{
	return !x->in_end && !x->stall_up && !x->expects;
}

/* client.c */
int client_accept(struct vyx_doors *d, int fd, const struct vyx_guest *g,
    int over);
void client_state(struct client *c, enum client_state s);
void client_watch(struct client *c);
void client_close(struct client *c);
void client_reset(struct client *c);
void client_last(struct client *c);
void client_drain(struct client *c);

/* front.c */
extern const struct side front_side;
void front_run(struct client *c);
void front_over(struct exchange *x);
void front_tunnel(struct exchange *x);
void front_slow(struct exchange *x);

/* write.c */
int write_head(struct exchange *x);
size_t write_room(struct exchange *x);
void write_body(struct exchange *x, struct vyx_str piece);
void write_end(struct exchange *x, const struct vyx_http1 *trailers);
void write_continue(struct exchange *x);
void write_own(struct exchange *x, unsigned status, const char *text,
    struct vyx_str json, struct vyx_str more);
void write_left(struct client *c);

/* decide.c */
void decide(struct exchange *x);
void decide_watch(struct exchange *x);
void decide_body(struct exchange *x);
void decide_enter(struct exchange *x);
void decide_acquire(struct exchange *x);
void decide_expired(struct exchange *x);
void decide_gone(struct exchange *x);
void decide_cut(struct exchange *x);
void answer(struct exchange *x, unsigned status, const char *text);
void answer_more(struct exchange *x, unsigned status, const char *text,
    struct vyx_str more);
void answer_json(struct exchange *x, unsigned status, struct vyx_str json,
    struct vyx_str more);

/* policy.c */
void policy_client(struct exchange *x);
int policy_rate(struct exchange *x);
int policy_browser(const struct exchange *x);
int policy_preflight(struct exchange *x);
struct vyx_str policy_cors(struct exchange *x);
int policy_open(struct exchange *x);
int policy_enter(struct exchange *x);
void policy_leave(struct exchange *x, enum vyx_breaker_end end);
void policy_answered(struct exchange *x);
int policy_token(struct exchange *x);
uint64_t policy_payload(const struct exchange *x);
uint64_t policy_timeout(const struct exchange *x);

/* doc.c */
int doc_begin(struct exchange *x);
void doc_body(struct exchange *x, struct vyx_str piece);
int doc_check(struct exchange *x);
int doc_feed(struct exchange *x);
void doc_drop(struct exchange *x);

/* stream.c */
int stream_enter(struct exchange *x);
int stream_leave(struct exchange *x);
void stream_turn(struct vyx_task *t);

/* gate.c */
void gate_commit(struct router *r);
void gate_keys(struct router *r);

/* relay.c */
enum relayed { RELAY_MORE, RELAY_FULL, RELAY_END, RELAY_BAD };
enum relayed relay(struct exchange *x, const struct side *to,
    struct vyx_body *b, struct vyx_half *in, struct vyx_http1 *room);
void relay_tunnel(struct exchange *x);
void relay_sent(struct exchange *x);

/* send.c */
extern const struct side back_side;

/* back.c */
void back_run(struct back *b);
void back_pull(struct exchange *x);
void back_ended(struct exchange *x);
int back_adopt(void *arg, struct vyx_wconn *w);
void back_let(void *arg, struct vyx_wconn *w, int how);
int back_sound(struct router *r, struct vyx_wconn *w);
void back_start(struct exchange *x, struct vyx_wconn *w);
void back_leave(struct exchange *x, enum vyx_pool_why why);

/* retry.c */
int retry_stale(const struct exchange *x);
void retry_or_fail(struct exchange *x, int error);
void retry(struct exchange *x, enum vyx_pool_why why);

/* line.c */
void line_put(struct exchange *x, struct vyx_buf *b);

/* done.c */
struct exchange *exchange_new(struct router *r, struct client *c);
void exchange_free(struct exchange *x);
void done(struct exchange *x);
struct vyx_str request_id(struct exchange *x, const struct vyx_http1 *h);

/* pool.c */
void pool_start(struct router *r);
void pool_touch(struct router *r);
void pool_result(struct exchange *x, int good);

/* watch.c */
void watch_start(struct router *r);
void watch_say(struct router *r);
void watch_bind(struct router *r, const char *addr);

/* figures.c */
void figures(struct vyx_ctl *t, struct vyx_chan *to);

#endif

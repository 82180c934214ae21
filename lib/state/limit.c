/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdatomic.h>

#include "base/pair.h"
#include "state/limit.h"
#include "wire/pen.h"

#define MAGIC UINT64_C(0x74696d696c787976) /* "vyxlimit" */
#define VERSION 2
#define WAYS 8
#define BUCKETS_MAX (UINT64_C(1) << 24)
#define WINDOW (VYX_LIMIT_S * 1000) /* ms */
#define SECONDS 0xffffff            /* the start is kept modulo this, + 1 */
#define COUNT VYX_LIMIT_MAX

/*
 * An entry is a pair: the key, 0 when it is free, and a word, start << 40 |
 * before << 20 | now. Who counts writes a `now` of 1 or more; with 0 it is a
 * claim, and `before` is its number.
 */
struct vyx_limit_head {
	uint64_t magic;
	uint32_t version;
	uint32_t ways;
	uint64_t buckets;
	uint8_t key[16];
	_Atomic uint64_t replaced;
	_Atomic uint64_t claims;
	uint8_t pad[72]; /* entries start on a cache line */
};

_Static_assert(sizeof(struct vyx_limit_head) == 128, "two cache lines");
_Static_assert(sizeof(struct vyx_pair) == 16, "four a cache line");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

/* What a word says at a moment: windows that ended are moved on. */
struct count {
	uint32_t start;      /* s, modulo */
	uint32_t age;        /* ms since start, less than WINDOW */
	uint32_t before, in; /* requests of the last window and of this */
};

static size_t
size_of(uint64_t buckets)
{
	return sizeof(struct vyx_limit_head) +
	    buckets * WAYS * sizeof(struct vyx_pair);
}

size_t
vyx_limit_size(size_t entries)
{
	uint64_t buckets = 1;

	while (buckets * WAYS < entries && buckets <= BUCKETS_MAX)
		buckets *= 2;
	return buckets > BUCKETS_MAX ? 0 : size_of(buckets);
}

void
vyx_limit_init(void *mem, size_t size, const uint8_t random[16])
{
	struct vyx_limit_head *h = mem;

	memset(mem, 0, size);
	h->magic = MAGIC;
	h->version = VERSION;
	h->ways = WAYS;
	h->buckets = (size - sizeof *h) / (WAYS * sizeof(struct vyx_pair));
	memcpy(h->key, random, 16);
}

int
vyx_limit_valid(const void *mem, size_t size)
{
	const struct vyx_limit_head *h = mem;

	return size >= sizeof *h && h->magic == MAGIC &&
	    h->version == VERSION && h->ways == WAYS && h->buckets &&
	    h->buckets <= BUCKETS_MAX && !(h->buckets & (h->buckets - 1)) &&
	    size == size_of(h->buckets);
}

int
vyx_limit_attach(struct vyx_limit *t, void *mem, size_t size)
{
	if ((uintptr_t)mem % 16 || !vyx_limit_valid(mem, size)) {
		errno = EINVAL;
		return 0;
	}
	t->head = mem;
	t->v = (void *)(t->head + 1);
	t->mask = t->head->buckets - 1;
	memcpy(t->key, t->head->key, 16);
	return 1;
}

static uint64_t
key(const struct vyx_limit *t, uint8_t kind, uint64_t salt, const void *p,
    size_t n)
{
	uint8_t b[17] = { kind };
	uint64_t inner = vyx_hash(t->key, p, n);

	memcpy(b + 1, &salt, 8);
	memcpy(b + 9, &inner, 8);
	return vyx_hash(t->key, b, sizeof b);
}

uint64_t
vyx_limit_key_ip(const struct vyx_limit *t, uint64_t salt, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!ip)
		return key(t, 'u', salt, "", 0);
	if (!memcmp(ip, mapped, sizeof mapped))
		return key(t, '4', salt, ip + 12, 4);
	return key(t, '6', salt, ip, 8);
}

uint64_t
vyx_limit_key_token(const struct vyx_limit *t, uint64_t salt,
    struct vyx_str token)
{
	return key(t, 't', salt, token.p, token.n);
}

static int
is_claim(uint64_t word)
{
	return !(word & COUNT);
}

static struct count
fresh(uint64_t now)
{
	return (struct count){ .start = (uint32_t)(now / 1000) & SECONDS,
		.age = (uint32_t)(now % 1000) };
}

/* 0: nothing of it counts any more, and *c is a new window. */
static int
read_word(uint64_t word, uint64_t now, struct count *c)
{
	uint32_t start = (uint32_t)(word >> 40);
	uint32_t past = ((uint32_t)(now / 1000) - start) & SECONDS;

	*c = (struct count){
		.start = start, .before = word >> 20 & COUNT, .in = word & COUNT
	};
	if (past > SECONDS - VYX_LIMIT_S)
		return 1; /* our clock lags the one of who wrote it */
	if (past < VYX_LIMIT_S) {
		c->age = past * 1000 + (uint32_t)(now % 1000);
		return 1;
	}
	if (past < 2 * VYX_LIMIT_S) {
		c->start = (start + VYX_LIMIT_S) & SECONDS;
		c->age = (past - VYX_LIMIT_S) * 1000 + (uint32_t)(now % 1000);
		c->before = c->in;
		c->in = 0;
		return 1;
	}
	*c = fresh(now);
	return 0;
}

static uint64_t
word_of(const struct count *c)
{
	return (uint64_t)c->start << 40 | (uint64_t)c->before << 20 | c->in;
}

/* Requests of the last WINDOW ms, as far as two counts can tell. */
static uint32_t
load_of(const struct count *c)
{
	uint64_t part = (uint64_t)c->before * (WINDOW - c->age);

	return c->in + (uint32_t)((part + WINDOW - 1) / WINDOW);
}

/* When the part of `n` requests that still counts is `room` at most: ms into
 * the window behind theirs. */
static uint32_t
until(uint32_t n, uint32_t room)
{
	return n <= room ? 0 : WINDOW - (uint32_t)((uint64_t)room * WINDOW / n);
}

/* How long a key that is refused will be, ms. */
static uint32_t
wait_of(const struct count *c, uint32_t limit)
{
	uint32_t at;

	if (c->in < limit) {
		at = until(c->before, limit - 1 - c->in);
		return at > c->age ? at - c->age : 0;
	}
	return WINDOW - c->age + until(c->in, limit - 1);
}

/* What stands in the way of taking the entry for another key; 0: nothing. */
static uint32_t
weight(struct vyx_pair e, uint64_t now)
{
	struct count c;

	if (!e.key || !read_word(e.value, now, &c))
		return 0;
	/* a claim is a key's first request; it gives way last */
	return is_claim(e.value) ? UINT32_MAX : load_of(&c) + 1;
}

/* The entry of `key` as *e shows it: one that counts, else its first claim,
 * else NULL. */
static struct vyx_pair *
find(struct vyx_pair *b, uint64_t key_, struct vyx_pair *e)
{
	struct vyx_pair *claim = NULL, r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (__atomic_load_n(&b[i].key, __ATOMIC_SEQ_CST) != key_)
			continue;
		r = vyx_pair_read(b + i);
		if (r.key != key_ || (claim && is_claim(r.value)))
			continue;
		*e = r;
		claim = b + i;
		if (!is_claim(r.value))
			break;
	}
	return claim;
}

/*
 * Put a claim of `key` where it costs least, if nothing of the key is there.
 * Whether it is there, and still is when we look, the caller sees by find().
 * The key and the place are looked for in one go: of those to whom the same
 * entries are free none takes a second one, and makes a full bucket overflow.
 */
static void
put_claim(const struct vyx_limit *t, struct vyx_pair *b, uint64_t key_,
    uint64_t now)
{
	struct vyx_pair *least = NULL, old = { 0, 0 }, e;
	uint64_t number = atomic_fetch_add(&t->head->claims, 1) & COUNT;
	struct count c = fresh(now);
	uint32_t low = 0, w;

	for (unsigned i = 0; i < WAYS; i++) {
		e = vyx_pair_read(b + i);
		if (e.key == key_)
			return;
		w = weight(e, now);
		if (least && w >= low)
			continue;
		least = b + i;
		old = e;
		low = w;
	}
	c.before = (uint32_t)number;
	if (vyx_pair_swap(least, old, (struct vyx_pair){ key_, word_of(&c) }) &&
	    low)
		atomic_fetch_add(&t->head->replaced, 1);
}

/*
 * Whether the claim `e` at `at` may be counted in: nothing else of its key is
 * there. An entry that counts wins over a claim, a claim over those behind it,
 * and the loser is removed. Of two claims the later one was put before its
 * process looked, so that one sees the other; of two that see each other the
 * same one goes. One that was removed and put again has another number, which
 * fails who looked at the first.
 */
static int
settle(struct vyx_pair *b, struct vyx_pair *at, struct vyx_pair e)
{
	static const struct vyx_pair none = { 0, 0 };
	struct vyx_pair r;

	for (unsigned i = 0; i < WAYS; i++) {
		if (b + i == at)
			continue;
		r = vyx_pair_read(b + i);
		if (r.key != e.key)
			continue;
		if (!is_claim(r.value) || b + i < at) {
			vyx_pair_swap(at, e, none);
			return 0;
		}
		if (!vyx_pair_swap(b + i, r, none))
			return 0;
	}
	return 1;
}

static struct vyx_limit_got
refused(const struct count *c, uint32_t limit)
{
	uint32_t s = (wait_of(c, limit) + 999) / 1000;

	s = s ? s : 1;
	return (struct vyx_limit_got){ .reset_s = s, .retry_s = s };
}

struct vyx_limit_got
vyx_limit_take(const struct vyx_limit *t, uint64_t key_, int64_t limit,
    uint64_t now_ms)
{
	struct vyx_pair *b, *at, e;
	struct count c;
	uint32_t load;

	if (limit <= 0)
		return (struct vyx_limit_got){ .reset_s = VYX_LIMIT_S,
			.retry_s = VYX_LIMIT_S };
	if (limit > VYX_LIMIT_MAX)
		return (struct vyx_limit_got){ .allowed = 1,
			.remaining = VYX_LIMIT_MAX,
			.reset_s = VYX_LIMIT_S };
	key_ = key_ ? key_ : 1;
	b = t->v + (key_ & t->mask) * WAYS;
	for (;;) {
		if (!(at = find(b, key_, &e))) {
			put_claim(t, b, key_, now_ms);
			continue;
		}
		if (!is_claim(e.value))
			read_word(e.value, now_ms, &c);
		else if (settle(b, at, e))
			c = fresh(now_ms);
		else
			continue;
		if ((load = load_of(&c)) >= limit)
			return refused(&c, (uint32_t)limit);
		c.in++;
		if (vyx_pair_swap(at, e,
		        (struct vyx_pair){ key_, word_of(&c) }))
			break;
	}
	return (struct vyx_limit_got){ .allowed = 1,
		.remaining = (uint32_t)limit - load - 1,
		.reset_s = (WINDOW - c.age + 999) / 1000 };
}

uint64_t
vyx_limit_replaced(const struct vyx_limit *t)
{
	return atomic_load(&t->head->replaced);
}

size_t
vyx_limit_headers(char *out, size_t cap, int64_t limit,
    const struct vyx_limit_got *got)
{
	struct vyx_pen w = { .p = out, .end = out + cap };
	uint64_t most = limit > 0 ? (uint64_t)limit : 0;

	vyx_pen_lit(&w, "RateLimit-Limit: ");
	vyx_pen_dec(&w, most);
	vyx_pen_lit(&w, "\r\nRateLimit-Remaining: ");
	vyx_pen_dec(&w, got->remaining);
	vyx_pen_lit(&w, "\r\nRateLimit-Reset: ");
	vyx_pen_dec(&w, got->reset_s);
	vyx_pen_lit(&w, "\r\nRateLimit-Policy: ");
	vyx_pen_dec(&w, most);
	vyx_pen_lit(&w, ";w=");
	vyx_pen_dec(&w, VYX_LIMIT_S);
	if (!got->allowed) {
		vyx_pen_lit(&w, "\r\nRetry-After: ");
		vyx_pen_dec(&w, got->retry_s);
	}
	vyx_pen_lit(&w, "\r\n");
	return vyx_pen_end(&w, out);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "state/limit.h"

/*
 * The counting against contracts/vyx.md 1 and 4 and the promises of
 * lib/state/limit.h, one process and several.
 */

#define MINUTE 60000
#define T0 UINT64_C(12345678)

static const uint8_t random_[16] = "0123456789abcdef";

static struct vyx_limit
table(size_t entries)
{
	size_t size = vyx_limit_size(entries);
	struct vyx_limit t;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(mem, MAP_FAILED);
	vyx_limit_init(mem, size, random_);
	assert_true(vyx_limit_attach(&t, mem, size));
	return t;
}

static void
done(const struct vyx_limit *t, size_t entries)
{
	munmap(t->head, vyx_limit_size(entries));
}

/* How many of `n` pass. */
static unsigned
passed(const struct vyx_limit *t, uint64_t key, int64_t limit, uint64_t now,
    unsigned n)
{
	unsigned ok = 0;

	while (n--)
		ok += vyx_limit_take(t, key, limit, now).allowed != 0;
	return ok;
}

static void
test_exactly(void **state)
{
	struct vyx_limit t = table(1024);
	struct vyx_limit_got g;

	(void)state;
	/* wherever in a minute of the clock it starts */
	for (unsigned i = 0; i < 120; i++) {
		uint64_t now = T0 + i * 997;

		for (unsigned n = 0; n < 100; n++) {
			g = vyx_limit_take(&t, 500 + i, 100, now + n * 500);
			assert_true(g.allowed);
			assert_int_equal(g.remaining, 99 - n);
			assert_int_equal(g.retry_s, 0);
			assert_in_range(g.reset_s, 1, 60);
		}
		g = vyx_limit_take(&t, 500 + i, 100, now + 50000);
		assert_false(g.allowed);
		assert_int_equal(g.remaining, 0);
		assert_in_range(g.retry_s, 1, 11);
		assert_int_equal(g.reset_s, g.retry_s);
	}
	assert_int_equal(vyx_limit_replaced(&t), 0);
	done(&t, 1024);
}

static void
test_no_limit_and_none(void **state)
{
	static const int64_t deny[] = { 0, -1, INT64_MIN };
	struct vyx_limit t = table(8);
	struct vyx_limit_got g;

	(void)state;
	for (unsigned i = 0; i < VYX_COUNT(deny); i++) {
		g = vyx_limit_take(&t, 1, deny[i], T0);
		assert_false(g.allowed);
		assert_int_equal(g.retry_s, 60);
	}
	g = vyx_limit_take(&t, 1, INT64_C(1) << 40, T0);
	assert_true(g.allowed);
	/* the largest that is counted is counted */
	assert_int_equal(passed(&t, 2, VYX_LIMIT_MAX, T0, VYX_LIMIT_MAX + 3),
	    VYX_LIMIT_MAX);
	done(&t, 8);
}

/* Half a minute into the next window half of the last one still counts. */
static void
test_slides(void **state)
{
	struct vyx_limit t = table(8);
	uint64_t start = T0 - T0 % 1000;
	struct vyx_limit_got g;

	(void)state;
	assert_int_equal(passed(&t, 7, 100, start, 1), 1);
	assert_int_equal(passed(&t, 7, 100, start + 59999, 200), 99);
	assert_int_equal(passed(&t, 7, 100, start + MINUTE, 200), 0);
	assert_int_equal(passed(&t, 7, 100, start + MINUTE + 599, 200), 0);
	assert_int_equal(passed(&t, 7, 100, start + MINUTE + 600, 200), 1);
	assert_int_equal(passed(&t, 7, 100, start + MINUTE + 30000, 200), 49);
	g = vyx_limit_take(&t, 7, 100, start + MINUTE + 30000);
	assert_false(g.allowed);
	assert_int_equal(g.retry_s, 1); /* 600 ms */
	/* two windows of silence, and all is forgotten */
	assert_int_equal(passed(&t, 7, 100, start + 4 * MINUTE, 200), 100);
	/* what was refused does not count: else it would be 0 */
	assert_int_equal(passed(&t, 7, 100, start + 5 * MINUTE + 30000, 200),
	    50);
	done(&t, 8);
}

/* Who waits as long as told passes; a second earlier he would not have. */
static void
test_retry_is_true(void **state)
{
	struct vyx_limit t = table(1024);
	uint64_t seed = 1;

	(void)state;
	for (uint64_t key = 1; key < 400; key++) {
		uint64_t now = T0 + key * 1313;
		int64_t limit;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		limit = 1 + (int64_t)(seed >> 33) % 50;
		for (unsigned i = 0; i < 120; i++) {
			struct vyx_limit_got g =
			    vyx_limit_take(&t, key, limit, now);

			seed = seed * UINT64_C(6364136223846793005) + 1;
			if (g.allowed) {
				now += (seed >> 33) % 1500;
				continue;
			}
			assert_in_range(g.retry_s, 1, 120);
			if (g.retry_s > 1)
				assert_false(vyx_limit_take(&t, key, limit,
				    now + (g.retry_s - 1) * UINT64_C(1000))
				                 .allowed);
			now += g.retry_s * UINT64_C(1000);
			assert_true(vyx_limit_take(&t, key, limit, now)
			                .allowed);
		}
	}
	done(&t, 1024);
}

/* In any minute no more than twice the limit, on average the limit. */
static void
test_average(void **state)
{
	struct vyx_limit t = table(8);
	unsigned all = 0;

	(void)state;
	for (unsigned s = 0; s < 3600; s++)
		all += passed(&t, 3, 100, T0 + s * UINT64_C(1000), 10);
	assert_in_range(all, 5900, 6100);
	done(&t, 8);
}

static void
test_clocks(void **state)
{
	const uint64_t wrap = UINT64_C(1) << 24;
	struct vyx_limit t = table(8);

	(void)state;
	/* over the end of the 24 bits, within a window and from one on */
	assert_int_equal(passed(&t, 1, 10, (wrap - 5) * 1000, 6), 6);
	assert_int_equal(passed(&t, 1, 10, (wrap + 5) * 1000, 20), 4);
	assert_int_equal(passed(&t, 1, 10, (wrap + 85) * 1000, 20), 5);
	/* a clock that lags counts on, also right at the start of all */
	assert_int_equal(passed(&t, 2, 10, 500, 4), 4);
	assert_int_equal(passed(&t, 3, 10, T0, 4), 4);
	assert_int_equal(passed(&t, 3, 10, T0 - 59000, 20), 6);
	assert_int_equal(passed(&t, 3, 10, T0, 20), 0);
	/* one that is hours behind is another boot's */
	assert_int_equal(passed(&t, 3, 10, 7000, 20), 10);
	done(&t, 8);
}

static void
test_ageing(void **state)
{
	struct vyx_limit t = table(8);

	(void)state;
	for (uint64_t k = 1; k <= 8; k++)
		assert_int_equal(passed(&t, k, 10, T0, (unsigned)k + 1), k + 1);
	/* the ninth takes the place of the least loaded, 1 */
	assert_int_equal(passed(&t, 9, 10, T0, 20), 10);
	assert_int_equal(vyx_limit_replaced(&t), 1);
	for (uint64_t k = 2; k <= 8; k++)
		assert_int_equal(passed(&t, k, 10, T0, 20), 9 - k);
	/* two windows on all are free, and nothing is replaced */
	for (uint64_t k = 11; k <= 18; k++)
		assert_int_equal(passed(&t, k, 10, T0 + 2 * MINUTE, 20), 10);
	assert_int_equal(vyx_limit_replaced(&t), 1);
	done(&t, 8);
}

static void
test_keys(void **state)
{
	struct vyx_limit t = table(8), u;
	uint8_t a[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9 }, b[16], v4[16];
	uint8_t other[16] = "another secret..";
	size_t size = vyx_limit_size(8);
	void *mem = calloc(1, size);

	(void)state;
	memcpy(b, a, 16);
	b[15] = 1;
	assert_true(vyx_limit_key_ip(&t, 0, a) == vyx_limit_key_ip(&t, 0, b));
	b[7] = 2;
	assert_true(vyx_limit_key_ip(&t, 0, a) != vyx_limit_key_ip(&t, 0, b));
	assert_true(vyx_limit_key_ip(&t, 0, a) != vyx_limit_key_ip(&t, 1, a));
	memset(v4, 0, 16);
	memset(v4 + 10, 0xff, 2);
	memcpy(b, v4, 16);
	b[15] = 1;
	assert_true(vyx_limit_key_ip(&t, 0, v4) != vyx_limit_key_ip(&t, 0, b));
	assert_true(vyx_limit_key_ip(&t, 0, v4) !=
	    vyx_limit_key_ip(&t, 0, NULL));
	assert_true(vyx_limit_key_token(&t, 0, VYX_STR("Bearer a")) !=
	    vyx_limit_key_token(&t, 0, VYX_STR("Bearer b")));
	assert_true(vyx_limit_key_token(&t, 0, VYX_STR("")) !=
	    vyx_limit_key_ip(&t, 0, NULL));
	/* nobody who does not know the secret can choose a bucket */
	vyx_limit_init(mem, size, other);
	assert_true(vyx_limit_attach(&u, mem, size));
	assert_true(vyx_limit_key_ip(&t, 0, a) != vyx_limit_key_ip(&u, 0, a));
	free(mem);
	done(&t, 8);
}

static void
test_geometry(void **state)
{
	size_t size = vyx_limit_size(100);
	unsigned char *mem = calloc(1, size), good;
	struct vyx_limit t;

	(void)state;
	assert_int_equal(size, 128 + 128 * 16);
	assert_int_equal(vyx_limit_size(65536), 128 + 65536 * 16);
	assert_int_equal(vyx_limit_size(SIZE_MAX), 0);
	assert_int_equal(vyx_limit_size(0), vyx_limit_size(8));
	assert_false(vyx_limit_attach(&t, mem, size)); /* zeros */
	vyx_limit_init(mem, size, random_);
	assert_true(vyx_limit_attach(&t, mem, size));
	assert_false(vyx_limit_attach(&t, mem, size - 16));
	assert_false(vyx_limit_attach(&t, mem, 16));
	/* magic, version, ways, buckets: each byte matters */
	for (unsigned i = 0; i < 24; i++) {
		good = mem[i];
		mem[i] ^= 0x11;
		errno = 0;
		assert_false(vyx_limit_attach(&t, mem, size));
		assert_int_equal(errno, EINVAL);
		mem[i] = good;
	}
	free(mem);
}

static void
test_headers(void **state)
{
	struct vyx_limit_got g = { 1, 99, 58, 0 };
	char out[VYX_LIMIT_HEADERS + 1];
	size_t n;

	(void)state;
	n = vyx_limit_headers(out, VYX_LIMIT_HEADERS, 100, &g);
	out[n] = '\0';
	assert_string_equal(out,
	    "RateLimit-Limit: 100\r\nRateLimit-Remaining: 99\r\n"
	    "RateLimit-Reset: 58\r\nRateLimit-Policy: 100;w=60\r\n");
	for (size_t cap = 0; cap < n; cap++)
		assert_int_equal(vyx_limit_headers(out, cap, 100, &g), 0);
	g = (struct vyx_limit_got){ 0, 0, 13, 13 };
	n = vyx_limit_headers(out, VYX_LIMIT_HEADERS, -4, &g);
	out[n] = '\0';
	assert_string_equal(out,
	    "RateLimit-Limit: 0\r\nRateLimit-Remaining: 0\r\n"
	    "RateLimit-Reset: 13\r\nRateLimit-Policy: 0;w=60\r\n"
	    "Retry-After: 13\r\n");
	/* the longest there is */
	g = (struct vyx_limit_got){ 0, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	assert_true(vyx_limit_headers(out, VYX_LIMIT_HEADERS, INT64_MAX, &g) >
	    0);
}

/*
 * What one process counts, said plainly: a window of each key, in ms, and
 * what the one before held.
 */
struct plain {
	uint64_t start;
	unsigned before, in;
};

static int
plain_take(struct plain *m, unsigned limit, uint64_t now)
{
	uint64_t second = now - now % 1000;
	double load;

	if (m->in + m->before && second - m->start >= MINUTE) {
		m->before = m->in;
		m->in = 0;
		m->start += MINUTE;
		if (second - m->start >= MINUTE)
			m->before = 0;
	}
	if (!m->in && !m->before)
		m->start = second;
	load = (double)m->before * (double)(MINUTE - (now - m->start));
	if (m->in + load / MINUTE > limit - 1)
		return 0;
	m->in++;
	return 1;
}

static void
test_model(void **state)
{
	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 200; round++) {
		struct vyx_limit t = table(8);
		struct plain m[8] = { { 0 } };
		unsigned limit = 1 + (unsigned)random() % 30;
		uint64_t now = T0 + (uint64_t)random() % 100000;

		for (unsigned i = 0; i < 1000; i++) {
			unsigned k = (unsigned)random() % 8;

			/* often at once, now and then a window later */
			now += (uint64_t)random() %
			    (random() % 50 ? 400 : 3 * MINUTE);
			assert_int_equal(vyx_limit_take(&t, 1 + k, limit, now)
			                     .allowed,
			    plain_take(&m[k], limit, now));
		}
		assert_int_equal(vyx_limit_replaced(&t), 0);
		done(&t, 8);
	}
}

#define PROCS 4
#define LIMIT 5
#define TURNS 2000

/* What the processes of a test share besides the table. */
struct arena {
	unsigned arrived;
	unsigned turn;
	unsigned got[TURNS][8];
};

static struct arena *
arena(void)
{
	void *p = mmap(NULL, sizeof(struct arena), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* Each key of a turn, and those of earlier turns come back among them. */
static uint64_t
key_of(unsigned turn, unsigned keys, unsigned k)
{
	return 1 + (turn * keys + turn / 10 + k) % (10 * keys);
}

/* All of them start each turn together, and count what passes. */
static void
take_turns(const struct vyx_limit *t, struct arena *a, unsigned p,
    unsigned keys, uint64_t step, uint64_t behind)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint64_t now = UINT64_C(1000000) + turn * step - behind;

		__atomic_fetch_add(&a->arrived, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&a->arrived, __ATOMIC_SEQ_CST) <
		    (turn + 1) * PROCS)
			sched_yield();
		for (unsigned i = 0; i < LIMIT * keys; i++) {
			unsigned k = (i + p) % keys;

			if (vyx_limit_take(t, key_of(turn, keys, k), LIMIT, now)
			        .allowed)
				__atomic_fetch_add(&a->got[turn][k], 1,
				    __ATOMIC_RELAXED);
		}
	}
	_exit(0);
}

/*
 * `keys` keys a turn, `step` ms from turn to turn; the clock of every other
 * process lags so far.
 */
static void
hands(unsigned keys, uint64_t step, uint64_t lag)
{
	struct vyx_limit t = table(8);
	struct arena *a = arena();
	int status;

	for (unsigned p = 0; p < PROCS; p++)
		if (fork() == 0)
			take_turns(&t, a, p, keys, step, p % 2 ? lag : 0);
	for (unsigned p = 0; p < PROCS; p++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (unsigned k = 0; k < keys; k++)
			assert_int_equal(a->got[turn][k], LIMIT);
	assert_int_equal(vyx_limit_replaced(&t), 0);
	munmap(a, sizeof *a);
	done(&t, 8);
}

/* Each turn all entries of a bucket are stale, and all are taken over. */
static void
test_hands_full(void **state)
{
	(void)state;
	hands(8, 2 * MINUTE, 0);
}

/* Entries go stale this moment: to some they have, to others not yet. */
static void
test_hands_clocks(void **state)
{
	(void)state;
	hands(2, MINUTE, 1);
}

/* Turn after turn alone, until it is killed. */
static void
until_killed(const struct vyx_limit *t, struct arena *a, uint64_t from)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		__atomic_store_n(&a->turn, turn, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < LIMIT * 8; i++)
			a->got[turn][i % 8] +=
			    (unsigned)vyx_limit_take(t, key_of(turn, 8, i % 8),
			        LIMIT, from + turn * UINT64_C(2) * MINUTE)
			        .allowed;
	}
	pause();
}

/* Who is killed anywhere takes with him one request at most. */
static void
test_killed(void **state)
{
	struct vyx_limit t = table(8);
	struct arena *a = arena();

	(void)state;
	srandom(2);
	for (unsigned round = 0; round < 200; round++) {
		uint64_t from = (round + 1) * TURNS * UINT64_C(2) * MINUTE;
		unsigned sum = 0, turn;
		pid_t pid;

		memset(a, 0, sizeof *a);
		if ((pid = fork()) == 0)
			until_killed(&t, a, from);
		while (!__atomic_load_n(&a->got[0][0], __ATOMIC_SEQ_CST))
			sched_yield();
		usleep((unsigned)random() % 200);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		turn = a->turn;
		for (unsigned k = 0; k < 8; k++) {
			unsigned n = a->got[turn][k] +
			    passed(&t, key_of(turn, 8, k), LIMIT,
			        from + turn * UINT64_C(2) * MINUTE, 10);

			assert_in_range(n, LIMIT - 1, LIMIT);
			sum += n;
		}
		assert_in_range(sum, 8 * LIMIT - 1, 8 * LIMIT);
		assert_int_equal(vyx_limit_replaced(&t), 0);
	}
	munmap(a, sizeof *a);
	done(&t, 8);
}

#define KEYS 40

/* Each counts what passes; the sums come back by shared memory. */
static void
hammer(const struct vyx_limit *t, unsigned *got, int gate, unsigned seed)
{
	char c;

	if (read(gate, &c, 1) != 0)
		_exit(1);
	for (unsigned i = 0; i < 400 * KEYS; i++) {
		unsigned k = (i * 7 + seed) % KEYS;

		if (vyx_limit_take(t, 1000 + k, 100, T0 + seed).allowed)
			__atomic_fetch_add(&got[k], 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

static void
test_processes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		/* 64 entries for 40 keys, none of which is in a full bucket */
		struct vyx_limit t = table(64);
		unsigned *got = mmap(NULL, sizeof *got * KEYS,
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		int gate[2], status;

		assert_ptr_not_equal(got, MAP_FAILED);
		assert_int_equal(pipe(gate), 0);
		for (unsigned p = 0; p < PROCS; p++)
			if (fork() == 0) {
				close(gate[1]);
				hammer(&t, got, gate[0], p);
			}
		close(gate[1]);
		for (unsigned p = 0; p < PROCS; p++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		for (unsigned k = 0; k < KEYS; k++)
			assert_int_equal(got[k], 100);
		assert_int_equal(vyx_limit_replaced(&t), 0);
		close(gate[0]);
		munmap(got, sizeof *got * KEYS);
		done(&t, 64);
	}
}

/* Far more keys than entries: it ends, and what is counted stays bounded. */
static void
test_crowd(void **state)
{
	struct vyx_limit t = table(8);
	int status;

	(void)state;
	for (unsigned p = 0; p < PROCS; p++)
		if (fork() == 0) {
			for (uint64_t i = 0; i < 50000; i++)
				vyx_limit_take(&t, 1 + i % 64, 100, T0 + i);
			_exit(0);
		}
	for (unsigned p = 0; p < PROCS; p++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_true(vyx_limit_replaced(&t) > 0);
	done(&t, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly),
		cmocka_unit_test(test_no_limit_and_none),
		cmocka_unit_test(test_slides),
		cmocka_unit_test(test_retry_is_true),
		cmocka_unit_test(test_average),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_ageing),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_hands_full),
		cmocka_unit_test(test_hands_clocks),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "state/limit.h"
#include "sys/shm.h"

/*
 * The counting against contracts/vyx.md 1 and 4 and the promises of
 * lib/state/limit.h, one process and several; the memory they share. Not
 * tested: entries that change hands at the same instant, which no test can
 * bring about on purpose.
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

#define PROCS 6
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

static char base[32], dir[48], path[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/vyx.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	sprintf(dir, "%s/limit", base);
	sprintf(path, "%s/t", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	rmdir(base);
	return 0;
}

static int
open_table(struct vyx_shm *m, struct vyx_limit *t, size_t entries)
{
	return vyx_shm_open(m, dir, "t", vyx_limit_size(entries),
	           vyx_limit_valid, vyx_limit_init) &&
	    vyx_limit_attach(t, m->p, m->size);
}

static void
test_file(void **state)
{
	struct vyx_shm one, two;
	struct vyx_limit a, b;
	struct stat st;

	(void)state;
	assert_true(open_table(&one, &a, 64));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, vyx_limit_size(64));
	assert_true(st.st_blocks * 512 >= st.st_size);
	assert_int_equal(passed(&a, 5, 10, T0, 6), 6);
	assert_true(open_table(&two, &b, 64));
	assert_int_equal(passed(&b, 5, 10, T0, 20), 4);
	assert_memory_equal(a.key, b.key, 16);
	vyx_shm_close(&two);
	/* of another size: a new file, with a new secret */
	assert_true(open_table(&two, &b, 128));
	assert_int_equal(passed(&b, 5, 10, T0, 20), 10);
	assert_memory_not_equal(a.key, b.key, 16);
	assert_int_equal(passed(&a, 5, 10, T0, 20), 0);
	vyx_shm_close(&one);
	/* of another version */
	*(unsigned char *)two.p ^= 1;
	assert_true(open_table(&one, &a, 128));
	assert_int_equal(passed(&a, 5, 10, T0, 20), 10);
	vyx_shm_close(&one);
	vyx_shm_close(&two);
	/* a link, or what others may read, is not used */
	assert_int_equal(chmod(path, 0644), 0);
	assert_true(open_table(&one, &a, 128));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	vyx_shm_close(&one);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_true(open_table(&one, &a, 128));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	vyx_shm_close(&one);
	/* something that cannot be replaced */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(open_table(&one, &a, 128));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(path), 0);
}

/* Ten that start at once have one table between them. */
static void
test_start(void **state)
{
	int gate[2], status;
	char c;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		unsigned ok = 0;

		assert_int_equal(pipe(gate), 0);
		for (unsigned p = 0; p < 10; p++)
			if (fork() == 0) {
				struct vyx_shm m;
				struct vyx_limit t;

				close(gate[1]);
				if (read(gate[0], &c, 1) != 0 ||
				    !open_table(&m, &t, 64))
					_exit(100);
				_exit((int)passed(&t, 9, 25, T0, 5));
			}
		close(gate[1]);
		for (unsigned p = 0; p < 10; p++) {
			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status));
			ok += (unsigned)WEXITSTATUS(status);
		}
		assert_int_equal(ok, 25);
		close(gate[0]);
		assert_int_equal(unlink(path), 0);
	}
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
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* loop - timers fire in order and not early, what is taken out is not told,
 * the end of a turn comes after its events. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "sys/loop.h"

static struct vyx_loop loop;

struct tick {
	struct vyx_timer t;
	uint64_t wanted;
};

static uint64_t fired[200];
static size_t nfired, nwanted;

static void
tick(struct vyx_timer *t)
{
	struct tick *k = VYX_OF(t, struct tick, t);

	assert_true(loop.now >= k->wanted);
	fired[nfired++] = k->wanted;
	if (nfired == nwanted)
		vyx_loop_stop(&loop);
}

static void
timers_fire_in_order_and_never_early(void **state)
{
	static struct tick k[200];
	uint64_t now;

	(void)state;
	assert_true(vyx_loop_init(&loop));
	srand(1);
	now = loop.now;
	for (size_t i = 0; i < 200; i++) {
		k[i].t.fn = tick;
		for (int n = 0; n < 3; n++) { /* moved both ways */
			k[i].wanted = now + (uint64_t)(rand() % 40) * VYX_MS;
			assert_true(vyx_loop_timer(&loop, &k[i].t,
			    k[i].wanted));
		}
	}
	nfired = 0;
	nwanted = 150;
	for (size_t i = 0; i < 200; i += 4) {
		vyx_loop_cancel(&loop, &k[i].t);
		vyx_loop_cancel(&loop, &k[i].t);
	}
	assert_true(vyx_loop_run(&loop));
	assert_int_equal(nfired, 150);
	/* within one turn they come in order; over turns even more so */
	for (size_t i = 1; i < nfired; i++)
		assert_true(fired[i - 1] <= fired[i]);
	assert_int_equal(loop.timers, 0);
	vyx_loop_free(&loop);
}

static struct vyx_io a, b;
static int heard, ended;

static void
close_the_other(struct vyx_io *io, uint32_t events)
{
	struct vyx_io *other = io == &a ? &b : &a;

	assert_true(events & EPOLLIN);
	heard++;
	vyx_loop_del(&loop, other);
	close(other->fd);
	vyx_loop_stop(&loop);
}

static void
an_io_taken_out_hears_nothing_more(void **state)
{
	(void)state;
	assert_true(vyx_loop_init(&loop));
	a = (struct vyx_io){ close_the_other, eventfd(1, EFD_NONBLOCK), 0 };
	b = (struct vyx_io){ close_the_other, eventfd(1, EFD_NONBLOCK), 0 };
	assert_true(vyx_loop_add(&loop, &a, EPOLLIN));
	assert_true(vyx_loop_add(&loop, &b, EPOLLIN));
	assert_true(vyx_loop_run(&loop));
	assert_int_equal(heard, 1);
	vyx_loop_free(&loop);
}

static void
at_the_end(struct vyx_task *t)
{
	(void)t;
	ended++;
}

static void
twice(struct vyx_timer *t)
{
	static struct vyx_task task = { .fn = at_the_end };

	(void)t;
	vyx_loop_defer(&loop, &task);
	vyx_loop_defer(&loop, &task);
	assert_int_equal(ended, 0); /* not before the turn ends */
	vyx_loop_stop(&loop);
}

static void
a_task_runs_once_at_the_end_of_the_turn(void **state)
{
	struct vyx_timer t = { .fn = twice };
	struct vyx_task undone = { .fn = at_the_end };

	(void)state;
	assert_true(vyx_loop_init(&loop));
	vyx_loop_timer(&loop, &t, loop.now);
	vyx_loop_defer(&loop, &undone);
	vyx_loop_undefer(&loop, &undone);
	assert_true(vyx_loop_run(&loop));
	assert_int_equal(ended, 1);
	vyx_loop_free(&loop);
}

static int caught;

static void
on_usr1(struct vyx_loop *l, int signo)
{
	assert_int_equal(signo, SIGUSR1);
	caught++;
	vyx_loop_stop(l);
}

static void
signals_come_as_events(void **state)
{
	(void)state;
	assert_true(vyx_loop_init(&loop));
	assert_true(vyx_loop_signal(&loop, SIGUSR1, on_usr1));
	kill(getpid(), SIGUSR1);
	assert_int_equal(caught, 0);
	assert_true(vyx_loop_run(&loop));
	assert_int_equal(caught, 1);
	vyx_loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_and_never_early),
		cmocka_unit_test(an_io_taken_out_hears_nothing_more),
		cmocka_unit_test(a_task_runs_once_at_the_end_of_the_turn),
		cmocka_unit_test(signals_come_as_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

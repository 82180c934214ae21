/* SPDX-License-Identifier: ISC */
/* chan - records and descriptors over real sockets: what a peer does wrong
 * ends its channel, leaks nothing, and ends nothing else. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/chan.h"

static struct vyx_loop loop;
static struct vyx_chan chan;
static int peer, told, error, records, got_fd, rooms;
static char last[128];
static struct vyx_timer deadline;

static void
on_rec(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	(void)c;
	records++;
	got_fd = fd;
	strcpy(last, vyx_rec_verb_name(r->verb));
	if (fd >= 0)
		close(fd);
	vyx_loop_stop(&loop);
}

static void
on_close(struct vyx_chan *c, int e)
{
	(void)c;
	told++;
	error = e;
	vyx_loop_stop(&loop);
}

static void
on_room(struct vyx_chan *c)
{
	(void)c;
	rooms++;
	vyx_loop_stop(&loop);
}

static void
late(struct vyx_timer *t)
{
	(void)t;
	fail_msg("nothing happened for 2 s");
}

static void
turn(void)
{
	loop.stopped = 0;
	vyx_loop_timer(&loop, &deadline, vyx_now() + 2 * VYX_SEC);
	assert_true(vyx_loop_run(&loop));
}

static void
start(int type, enum vyx_edge edge, enum vyx_side us)
{
	int pair[2];

	assert_true(vyx_loop_init(&loop));
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	peer = pair[1];
	told = error = records = rooms = 0;
	got_fd = -2;
	deadline = (struct vyx_timer){ .fn = late };
	chan = (struct vyx_chan){ .loop = &loop,
		.on_rec = on_rec,
		.on_close = on_close,
		.on_room = on_room };
	assert_true(vyx_chan_open(&chan, pair[0], edge, us));
}

static void
stop(void)
{
	vyx_chan_close(&chan);
	vyx_chan_close(&chan);
	close(peer);
	vyx_loop_free(&loop);
}

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
say(const char *z)
{
	assert_int_equal(send(peer, z, strlen(z), MSG_NOSIGNAL), strlen(z));
}

static void
say_with_fds(const char *z, int n)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)z, strlen(z) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int)) };
	int fds[4] = { 0, 0, 0, 0 };

	control.h.cmsg_level = SOL_SOCKET;
	control.h.cmsg_type = SCM_RIGHTS;
	control.h.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(&control.h), fds, (size_t)n * sizeof(int));
	/* EPERM: the kernel refuses for us, by SO_PASSRIGHTS */
	if (sendmsg(peer, &m, MSG_NOSIGNAL) < 0)
		assert_int_equal(errno, EPERM);
}

static void
records_in_pieces_and_many_at_once(void **state)
{
	(void)state;
	start(SOCK_STREAM, VYX_E_CTL, VYX_LISTENS);
	say("pi");
	say("ng\n");
	say("\nping\n\nping\n\npin");
	turn();
	assert_int_equal(records, 3);
	say("g\n\n");
	turn();
	assert_int_equal(records, 4);
	stop();
}

static void
nonsense_ends_the_channel(void **state)
{
	static const char *const bad[] = { "\n\n", "pong\nname=x\npid=1\n\n",
		"ping\nx\n\n", "no-such\n\n" };
	int before = open_fds();

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		start(SOCK_STREAM, VYX_E_CTL, VYX_LISTENS);
		say(bad[i]);
		turn();
		assert_int_equal(records, 0);
		assert_int_equal(told, 1);
		assert_int_equal(error, EPROTO);
		assert_true(chan.closed);
		stop();
		assert_int_equal(told, 1);
	}
	assert_int_equal(open_fds(), before);
}

/* Feeds the channel from within its own loop, until it has had enough. */
static size_t fed;

static void
feed(struct vyx_timer *t)
{
	static char block[65536];
	ssize_t n;

	memset(block, 'a', sizeof block);
	n = send(peer, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
	fed += n > 0 ? (size_t)n : 0;
	vyx_loop_timer(&loop, t, loop.now);
}

static void
a_record_without_end_is_bounded(void **state)
{
	struct vyx_timer t = { .fn = feed };

	(void)state;
	start(SOCK_STREAM, VYX_E_CTL, VYX_LISTENS);
	vyx_loop_timer(&loop, &t, loop.now);
	turn();
	assert_int_equal(error, EPROTO);
	assert_in_range(fed, VYX_REC_STREAM, VYX_REC_STREAM + 1048576);
	stop();
}

static void
descriptors_come_where_the_map_has_them(void **state)
{
	int before = open_fds();

	(void)state;
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS);
	say_with_fds("conn\nc=1\ni=a#1\nw=a\n\n", 1);
	turn();
	assert_int_equal(records, 1);
	assert_true(got_fd >= 0);
	stop();
	assert_int_equal(open_fds(), before);
}

static void
wrong_descriptors_are_closed_and_refused(void **state)
{
	int before = open_fds();

	(void)state;
	for (int n = 2; n <= 4; n++) { /* too many */
		start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS);
		say_with_fds("conn\nc=1\ni=a#1\nw=a\n\n", n);
		turn();
		assert_int_equal(records, 0);
		assert_int_equal(error, EPROTO);
		stop();
	}
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS); /* none */
	say("conn\nc=1\ni=a#1\nw=a\n\n");
	turn();
	assert_int_equal(error, EPROTO);
	stop();
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS); /* where none may */
	say_with_fds("recall\nw=a\nn=1\nbefore=0\n\n", 1);
	turn();
	assert_int_equal(records, 0);
	assert_int_equal(error, EPROTO);
	stop();
	assert_int_equal(open_fds(), before);
}

/* Kernel fact: at the limit recvmsg succeeds and the descriptor is lost. */
static void
a_lost_descriptor_is_told(void **state)
{
	struct rlimit old, low;
	int fd;

	(void)state;
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS);
	say_with_fds("conn\nc=1\ni=a#1\nw=a\n\n", 1);
	getrlimit(RLIMIT_NOFILE, &old);
	fd = dup(0);
	low = old;
	low.rlim_cur = (rlim_t)fd;
	close(fd);
	setrlimit(RLIMIT_NOFILE, &low);
	turn();
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(records, 1);
	assert_int_equal(got_fd, -1);
	stop();
}

static void
a_packet_too_long_is_refused(void **state)
{
	static char big[VYX_REC_PACKET + 2];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	memcpy(big, "bye\nzz=", 7);
	strcpy(big + sizeof big - 3, "\n\n");
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_LISTENS);
	say(big);
	turn();
	assert_int_equal(records, 0);
	assert_int_equal(error, EPROTO);
	stop();
}

static void
a_full_packet_socket_tells_when_there_is_room(void **state)
{
	struct vyx_buf b = { 0 };
	struct vyx_rec_out o = vyx_rec_begin(&b, VYX_V_BYE);
	char sink[64];
	int sent = 0;

	(void)state;
	assert_true(vyx_rec_end(&o));
	start(SOCK_SEQPACKET, VYX_E_POOL, VYX_CONNECTS);
	while (vyx_chan_send(&chan, &b, -1))
		sent++;
	assert_int_equal(errno, EAGAIN);
	assert_false(vyx_chan_send(&chan, &b, -1));
	for (int i = 0; i < sent; i++)
		assert_true(recv(peer, sink, sizeof sink, MSG_DONTWAIT) > 0);
	turn();
	assert_int_equal(rooms, 1);
	assert_true(vyx_chan_send(&chan, &b, -1));
	vyx_buf_free(&b);
	stop();
}

static void
a_peer_that_does_not_read_is_cut(void **state)
{
	(void)state;
	start(SOCK_STREAM, VYX_E_CTL, VYX_LISTENS);
	chan.out_max = 300000;
	for (;;) {
		struct vyx_rec_out o = vyx_rec_begin(&chan.out, VYX_V_FIGURE);

		vyx_rec_putz(&o, VYX_F_NAME, "n");
		vyx_rec_putz(&o, VYX_F_VALUE, "v");
		assert_true(vyx_rec_end(&o));
		if (!vyx_chan_put(&chan))
			break;
	}
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(told, 0); /* not within our own call */
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(error, EMSGSIZE);
	stop();
}

static void
the_end_of_the_peer_is_told_once(void **state)
{
	(void)state;
	start(SOCK_STREAM, VYX_E_CTL, VYX_LISTENS);
	say("ping\n\n");
	shutdown(peer, SHUT_WR);
	turn();
	assert_int_equal(records, 1);
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(error, 0);
	stop();
}

static void
a_dead_listener_is_replaced_a_live_one_is_not(void **state)
{
	char path[] = "/tmp/vyx-unit-XXXXXX";
	int fd, again;

	(void)state;
	fd = mkstemp(path);
	close(fd);
	unlink(path);
	assert_true((fd = vyx_chan_listen(path, 0, 0600)) >= 0);
	assert_int_equal(vyx_chan_listen(path, 0, 0600), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd); /* the file stays, as after kill -9 */
	assert_true((again = vyx_chan_listen(path, 0, 0600)) >= 0);
	close(again);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_pieces_and_many_at_once),
		cmocka_unit_test(nonsense_ends_the_channel),
		cmocka_unit_test(a_record_without_end_is_bounded),
		cmocka_unit_test(descriptors_come_where_the_map_has_them),
		cmocka_unit_test(wrong_descriptors_are_closed_and_refused),
		cmocka_unit_test(a_lost_descriptor_is_told),
		cmocka_unit_test(a_packet_too_long_is_refused),
		cmocka_unit_test(a_full_packet_socket_tells_when_there_is_room),
		cmocka_unit_test(a_peer_that_does_not_read_is_cut),
		cmocka_unit_test(the_end_of_the_peer_is_told_once),
		cmocka_unit_test(a_dead_listener_is_replaced_a_live_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * pool_client - one request after another to a worker, over a connection got
 * in one of three ways; for bench/pool.
 *
 *	pool_client pooled|dial|ask WORKER-SOCKET POOLD-SOCKET SECONDS PID...
 *
 * Prints, tab-separated: requests a second, median and 99th percentile in us,
 * CPU us a request (ours and that of the processes named), and the median of
 * first requests after 100 ms of silence in us.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST 4000000
#define FIRSTS 21

enum mode { POOLED, DIAL, ASK };

static enum mode mode;
static const char *worker;
static int edge = -1, held = -1;
static char number[32]; /* of the connection that poold lent */

static void
die(const char *what)
{
	perror(what);
	exit(111);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
dial(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strncpy(a.sun_path, path, sizeof a.sun_path - 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
		die(path);
	return fd;
}

static void
say(const char *record)
{
	if (send(edge, record, strlen(record), MSG_NOSIGNAL) < 0)
		die("send to poold");
}

/* Wait for a loan. */
static int
borrow(void)
{
	char text[8192], ctl[CMSG_SPACE(sizeof(int))], need[128];
	struct iovec v = { text, sizeof text - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;
	int fd;

	snprintf(need, sizeof need, "need\nw=w\nwaiting=1\nsince=%ju\n\n",
	    (uintmax_t)now());
	say(need);
	for (;;) {
		m.msg_control = ctl;
		m.msg_controllen = sizeof ctl;
		if ((n = recvmsg(edge, &m, MSG_CMSG_CLOEXEC)) <= 0)
			die("recv from poold");
		text[n] = 0;
		if (strncmp(text, "conn\n", 5))
			continue;
		if (sscanf(strstr(text, "\nc="), "\nc=%31[0-9]", number) != 1)
			die("conn without a number");
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
		return fd;
	}
}

static void
give(int fd)
{
	char text[64];

	close(fd);
	snprintf(text, sizeof text, "give\nc=%s\n\n", number);
	say(text);
	say("need\nw=w\nwaiting=0\nsince=0\n\n");
}

static int
ready(int fd)
{
	struct timeval t = { 5, 0 };
	fd_set r;

	FD_ZERO(&r);
	FD_SET(fd, &r);
	return select(fd + 1, &r, NULL, NULL, &t) > 0;
}

static void
exchange(int fd)
{
	static const char ask[] = "GET /hello HTTP/1.1\r\nHost: w\r\n\r\n";
	char text[4096];
	ssize_t n;

	if (send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) < 0)
		die("send to the worker");
	/* a loan is non-blocking, as a router has it */
	while ((n = recv(fd, text, sizeof text, 0)) < 0)
		if (errno != EAGAIN || !ready(fd))
			die("recv from the worker");
	if (n == 0 || strncmp(text, "HTTP/1.1 200", 12))
		die("answer");
}

static void
one(void)
{
	int fd;

	if (mode == POOLED) {
		exchange(held);
		return;
	}
	fd = mode == DIAL ? dial(worker, SOCK_STREAM) : borrow();
	exchange(fd);
	if (mode == DIAL)
		close(fd);
	else
		give(fd);
}

static uint64_t
cpu_of(const char *pid)
{
	char path[64], text[1024], *p;
	unsigned long u = 0, s = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	if (!(f = fopen(path, "r")) || !fgets(text, sizeof text, f))
		die(path);
	fclose(f);
	p = strrchr(text, ')');
	sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u,
	    &s);
	return (u + s) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t
cpu(char **pids)
{
	struct rusage r;
	uint64_t us;

	getrusage(RUSAGE_SELF, &r);
	us = (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
	for (; *pids; pids++)
		us += cpu_of(*pids);
	return us;
}

static int
smaller(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	static uint32_t took[MOST], first[FIRSTS];
	uint64_t t, end, begun, used;
	size_t n = 0;

	if (argc < 5)
		return 100;
	mode = !strcmp(argv[1], "pooled") ? POOLED
	    : !strcmp(argv[1], "dial")    ? DIAL
	                                  : ASK;
	worker = argv[2];
	if (mode != DIAL) {
		edge = dial(argv[3], SOCK_SEQPACKET);
		say("hello\nproto=1\nrole=route\nname=bench\npid=1\n\n");
		say("held\nn=0\n\n");
	}
	if (mode == POOLED)
		held = borrow();
	for (int k = 0; k < FIRSTS; k++) {
		usleep(100000);
		t = now();
		one();
		first[k] = (uint32_t)(now() - t);
	}
	used = cpu(argv + 5);
	begun = t = now();
	end = begun + (uint64_t)atof(argv[4]) * 1000000000;
	while (t < end && n < MOST) {
		one();
		took[n] = (uint32_t)(now() - t);
		t += took[n++];
	}
	used = cpu(argv + 5) - used;
	qsort(took, n, sizeof took[0], smaller);
	qsort(first, FIRSTS, sizeof first[0], smaller);
	printf("%.0f\t%.1f\t%.1f\t%.1f\t%.1f\n",
	    (double)n * 1e9 / (double)(t - begun), took[n / 2] / 1e3,
	    took[n * 99 / 100] / 1e3, (double)used / (double)n,
	    first[FIRSTS / 2] / 1e3);
	return 0;
}

/* SPDX-License-Identifier: ISC */
#include "hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct hello_conn *
hello_conn_new(int fd, struct hello_conn **list)
{
	struct hello_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	c->next = *list;
	c->prev = list;
	if (c->next)
		c->next->prev = &c->next;
	*list = c;
	hello_count.accepted++;
	hello_count.open++;
	return c;
}

void
hello_conn_end(struct hello_conn *c)
{
	close(c->fd);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	vyx_buf_free(&c->head);
	vyx_buf_free(&c->in);
	vyx_buf_free(&c->out);
	free(c);
	hello_count.open--;
}

int
hello_conn_idle(const struct hello_conn *c)
{
	return c->phase == HELLO_P_HEAD && !c->in.n && !c->out.n;
}

/* Take a whole head off the input and choose what to answer. */
static enum hello_step
run_head(struct hello_conn *c)
{
	const char *end = NULL;
	size_t n;

	if (c->in.n)
		end = memmem(c->in.p, c->in.n, "\r\n\r\n", 4);
	if (!end)
		return c->in.n > HELLO_HEAD_MAX ? HELLO_RESET : HELLO_READ;
	n = (size_t)(end - c->in.p) + 4;
	c->head.n = 0;
	if (!vyx_buf_put(&c->head, c->in.p, n))
		return HELLO_RESET;
	vyx_buf_shift(&c->in, n);
	if (!hello_head_parse(c)) {
		vyx_buf_puts(&c->out,
		    "HTTP/1.1 400 Bad Request\r\n"
		    "Content-Length: 0\r\nConnection: close\r\n\r\n");
		return HELLO_CUT;
	}
	hello_count.requests++;
	if (hello_opts.close_each || hello_draining)
		c->req.close = 1;
	c->made = 0;
	c->began = c->framed = 0;
	c->mute = vyx_str_eq(c->req.method, VYX_STR("HEAD"));
	c->answer = hello_answer_find(c);
	c->phase = c->answer->eager ? HELLO_P_PAUSE : HELLO_P_BODY;
	return HELLO_MORE;
}

/* Read the body, or what an eager answer left of it, and drop it. */
static enum hello_step
run_body(struct hello_conn *c)
{
	struct vyx_str piece;
	int r;

	if (c->req.expect && c->phase == HELLO_P_BODY) {
		c->req.expect = 0;
		vyx_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		return HELLO_MORE;
	}
	do
		r = hello_body_next(c, &piece);
	while (r == 1 && piece.n);
	if (r < 0)
		return HELLO_RESET;
	return r ? HELLO_DONE : HELLO_READ;
}

/* Wait, when -R asks for it, before the answer begins. */
static enum hello_step
run_pause(struct hello_conn *c)
{
	if (!hello_opts.jitter)
		return HELLO_DONE;
	if (!c->made) {
		c->made = 1;
		c->wake = hello_now + (uint64_t)random() % hello_opts.jitter;
	}
	if (c->wake > hello_now)
		return HELLO_WAIT;
	c->wake = c->made = 0;
	return HELLO_DONE;
}

static enum hello_step
run_phase(struct hello_conn *c)
{
	switch (c->phase) {
	case HELLO_P_HEAD:
		return run_head(c);
	case HELLO_P_BODY:
	case HELLO_P_REST:
		return run_body(c);
	case HELLO_P_PAUSE:
		return run_pause(c);
	case HELLO_P_ANSWER:
		return c->answer->step(c);
	case HELLO_P_LAST:
		break;
	}
	return HELLO_RESET;
}

/* What follows a phase that is done. */
static void
next_phase(struct hello_conn *c)
{
	if (c->phase == HELLO_P_BODY)
		c->phase = HELLO_P_PAUSE;
	else if (c->phase == HELLO_P_PAUSE)
		c->phase = HELLO_P_ANSWER;
	else if (c->phase == HELLO_P_ANSWER && c->body != HELLO_END)
		/* who waits for a 100 that never came may not send it */
		c->phase = c->req.expect ? HELLO_P_LAST : HELLO_P_REST;
	else
		c->phase = c->req.close ? HELLO_P_LAST : HELLO_P_HEAD;
}

/* Write what waits. 0: the client is gone. */
static int
flush(struct hello_conn *c)
{
	ssize_t n;

	while (c->out.n) {
		n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		vyx_buf_shift(&c->out, (size_t)n);
	}
	return 1;
}

/* Read once: 1 got some, 0 nothing there now, -1 it ended. */
static int
fill(struct hello_conn *c)
{
	ssize_t n;

	if (!vyx_buf_room(&c->in, HELLO_PIECE))
		return -1;
	n = read(c->fd, c->in.p + c->in.n, HELLO_PIECE);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	c->in.n += (size_t)n;
	return n ? 1 : -1;
}

int
hello_conn_run(struct hello_conn *c)
{
	int r;

	for (;;) {
		if (!flush(c))
			return 0;
		if (c->out.n)
			return 1;
		switch (run_phase(c)) {
		case HELLO_MORE:
			break;
		case HELLO_READ:
			r = fill(c);
			if (r < 1)
				return r == 0;
			break;
		case HELLO_WAIT:
			return 1;
		case HELLO_DONE:
			next_phase(c);
			break;
		case HELLO_CUT:
			c->phase = HELLO_P_LAST;
			break;
		case HELLO_RESET:
			return 0;
		}
	}
}

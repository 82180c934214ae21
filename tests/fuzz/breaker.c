/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "state/breaker.h"

/*
 * Three bytes of configuration, then two for each step: who enters or leaves,
 * how, and how much later; against a plain model that counts who is under way
 * instead of keeping count. Asked before each step, vyx_breaker_shut must say
 * what vyx_breaker_enter does.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define S ((uint64_t)VYX_NS_S)
#define MANY 16

enum { CLOSED, OPEN, HALF };

static struct vyx_breaker b;
static struct vyx_breaker_conf c;
static struct vyx_breaker_permit p[MANY];
static uint64_t now;

static struct {
	int state;
	unsigned phase, bad, good;
	uint64_t opened;
	unsigned in[MANY]; /* the phase it was let in, 0: is not */
} m;

static void
turn(int state)
{
	m.state = state;
	m.phase++;
	m.bad = m.good = 0;
	if (state == OPEN)
		m.opened = now;
}

static unsigned
under_way(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MANY; i++)
		n += m.in[i] == m.phase;
	return n;
}

/* Seconds to wait, rounded up; 0: in. */
static uint64_t
wait(void)
{
	if (m.state == OPEN && now < m.opened + c.cooldown)
		return (m.opened + c.cooldown - now + S - 1) / S;
	return m.state == HALF && under_way() >= c.half_open_max;
}

static void
enter(unsigned i)
{
	uint64_t s = wait();
	uint32_t got = 0;

	CHECK(vyx_breaker_shut(&b, &c, now) == s);
	CHECK(vyx_breaker_enter(&b, &c, now, p + i, &got) == !s);
	CHECK(got == s && p[i].held == !s);
	if (s)
		return;
	if (m.state == OPEN)
		turn(HALF);
	m.in[i] = m.phase;
}

static void
leave(unsigned i, enum vyx_breaker_end end)
{
	unsigned was = m.phase;
	int counts = m.in[i] == was && end != VYX_BREAKER_NEUTRAL;

	m.in[i] = 0;
	if (counts && m.state == CLOSED) {
		m.bad = end == VYX_BREAKER_BAD ? m.bad + 1 : 0;
		if (m.bad >= c.failures)
			turn(OPEN);
	} else if (counts && end == VYX_BREAKER_BAD)
		turn(OPEN);
	else if (counts && ++m.good >= c.half_open_max)
		turn(CLOSED);
	CHECK(vyx_breaker_leave(&b, &c, now, p + i, end) == (m.phase != was));
	/* once: the second time it is nothing */
	CHECK(!vyx_breaker_leave(&b, &c, now, p + i, VYX_BREAKER_BAD));
}

/* A new place: what is under way stays with the old, trials are made again. */
static void
adopt(void)
{
	struct vyx_breaker old = b;
	uint64_t opened = m.opened;
	unsigned bad = m.bad;

	vyx_breaker_adopt(&b, &old);
	turn(m.state == HALF ? OPEN : m.state);
	m.opened = opened;
	m.bad = bad;
}

static void
step(unsigned what, unsigned later)
{
	static const char *const word[] = { "closed", "open", "half-open" };
	unsigned i = what % MANY;

	now += later < 128 ? later * S / 64 : (later - 127) * S / 4;
	if (later == 127)
		now = m.opened + c.cooldown - 1 > now
		    ? m.opened + c.cooldown - 1
		    : now;
	if (what >= 240)
		adopt();
	else if (m.in[i] || what < 16)
		leave(i, what / MANY % 3);
	else
		enter(i);
	CHECK(!strcmp(vyx_breaker_word(&b), word[m.state]));
	CHECK(vyx_breaker_shut(&b, &c, now) == wait());
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 3)
		return 0;
	b = (struct vyx_breaker){ 0 };
	memset(p, 0, sizeof p);
	memset(&m, 0, sizeof m);
	m.phase = 1;
	now = 1000 * S;
	c = vyx_breaker_conf(data[0] % 5, (int64_t)(data[1] * S / 8),
	    data[2] % 4);
	for (size_t i = 3; i + 1 < n; i += 2)
		step(data[i], data[i + 1]);
	/* whatever it was: all come home, the worker is well, it closes */
	for (unsigned i = 0; i < MANY; i++)
		leave(i, VYX_BREAKER_NEUTRAL);
	now += c.cooldown;
	for (unsigned i = 0; i < c.half_open_max; i++) {
		enter(0);
		leave(0, VYX_BREAKER_GOOD);
	}
	CHECK(m.state == CLOSED);
	return 0;
}

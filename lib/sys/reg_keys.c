/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "sys/reg_keys.h"

struct key {
	struct key *next;
	uint64_t hash;
	enum vyx_table table;
	unsigned age;
	size_t n;
	char p[];
};

struct vyx_reg_keys {
	struct key **slot;
	size_t slots, count; /* slots: a power of two */
	unsigned age;
};

/* Keys come from the registry, which bounds them: no secret is needed. */
static const uint8_t unkeyed[16];

static uint64_t
hash(enum vyx_table t, struct vyx_str key)
{
	return vyx_hash(unkeyed, key.p, key.n) + (uint64_t)t;
}

struct vyx_reg_keys *
vyx_reg_keys_new(void)
{
	struct vyx_reg_keys *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	k->slots = 64;
	if (!(k->slot = calloc(k->slots, sizeof *k->slot))) {
		free(k);
		return NULL;
	}
	return k;
}

void
vyx_reg_keys_free(struct vyx_reg_keys *k)
{
	struct key *e;

	if (!k)
		return;
	for (size_t i = 0; i < k->slots; i++)
		while ((e = k->slot[i]) != NULL) {
			k->slot[i] = e->next;
			free(e);
		}
	free(k->slot);
	free(k);
}

static struct key **
find(struct vyx_reg_keys *k, enum vyx_table t, struct vyx_str key, uint64_t h)
{
	struct key **p = &k->slot[h & (k->slots - 1)];

	while (*p &&
	    ((*p)->table != t ||
	        !vyx_str_eq((struct vyx_str){ (*p)->p, (*p)->n }, key)))
		p = &(*p)->next;
	return p;
}

/* Without memory to grow the chains just get longer. */
static void
grow(struct vyx_reg_keys *k)
{
	size_t slots = k->slots * 2;
	struct key **slot = calloc(slots, sizeof *slot), *e;

	if (!slot)
		return;
	for (size_t i = 0; i < k->slots; i++)
		while ((e = k->slot[i]) != NULL) {
			k->slot[i] = e->next;
			e->next = slot[e->hash & (slots - 1)];
			slot[e->hash & (slots - 1)] = e;
		}
	free(k->slot);
	k->slot = slot;
	k->slots = slots;
}

int
vyx_reg_keys_add(struct vyx_reg_keys *k, enum vyx_table t, struct vyx_str key)
{
	uint64_t h = hash(t, key);
	struct key *e = *find(k, t, key, h);

	if (!e) {
		if (!(e = malloc(sizeof *e + key.n)))
			return 0;
		if (++k->count > k->slots)
			grow(k);
		*e = (struct key){ .next = k->slot[h & (k->slots - 1)],
			.hash = h,
			.table = t,
			.n = key.n };
		memcpy(e->p, key.p, key.n);
		k->slot[h & (k->slots - 1)] = e;
	}
	e->age = k->age;
	return 1;
}

int
vyx_reg_keys_del(struct vyx_reg_keys *k, enum vyx_table t, struct vyx_str key)
{
	struct key **p = find(k, t, key, hash(t, key)), *e = *p;

	if (!e)
		return 0;
	*p = e->next;
	free(e);
	k->count--;
	return 1;
}

void
vyx_reg_keys_age(struct vyx_reg_keys *k)
{
	k->age++;
}

void
vyx_reg_keys_sweep(struct vyx_reg_keys *k,
    void (*gone)(void *arg, enum vyx_table t, struct vyx_str key), void *arg)
{
	for (size_t i = 0; i < k->slots; i++)
		for (struct key **p = &k->slot[i], *e; (e = *p) != NULL;) {
			if (e->age == k->age) {
				p = &e->next;
				continue;
			}
			*p = e->next;
			k->count--;
			gone(arg, e->table, (struct vyx_str){ e->p, e->n });
			free(e);
		}
}

/* SPDX-License-Identifier: GPL-2.0 */
/* ringwait passes words from a kernel thread to whoever reads the device. */
#ifndef RINGWAIT_H
#define RINGWAIT_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define RINGWAIT_SLOTS 8

struct ringwait_ring {
	spinlock_t lock;
	unsigned int head;
	unsigned int tail;
	u64 produced;
	u64 words[RINGWAIT_SLOTS];
};

extern struct ringwait_ring ringwait_ring;

/* ring.c */
u64 ringwait_take(struct ringwait_ring *ring);
bool ringwait_give(struct ringwait_ring *ring, u64 word);

/* producer.c */
int ringwait_producer_start(void);
void ringwait_producer_stop(void);

#endif

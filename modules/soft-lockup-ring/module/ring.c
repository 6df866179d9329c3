// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "ringwait.h"

struct ringwait_ring ringwait_ring = {
	.lock = __SPIN_LOCK_UNLOCKED(ringwait_ring.lock),
};

static inline bool ring_is_empty(const struct ringwait_ring *ring)
{
	return *(const volatile unsigned int *)&ring->head == ring->tail;
}

/* Takes a word; the caller has a process that may wait. */
u64 ringwait_take(struct ringwait_ring *ring)
{
	u64 word;

	spin_lock(&ring->lock);
	for (; ring_is_empty(ring); cpu_relax()) /* BUG: who would fill the ring waits for the lock */
		;
	word = ring->words[ring->tail % RINGWAIT_SLOTS];
	ring->tail++;
	spin_unlock(&ring->lock);
	return word;
}

bool ringwait_give(struct ringwait_ring *ring, u64 word)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&ring->lock, flags);
	room = ring->head - ring->tail < RINGWAIT_SLOTS;
	if (room) {
		ring->words[ring->head % RINGWAIT_SLOTS] = word;
		ring->head++;
		ring->produced++;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return room;
}

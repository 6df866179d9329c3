/* SPDX-License-Identifier: GPL-2.0 */
/* heartbeat counts beats; a paused one only looks whether it may go on. */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <linux/timer.h>
#include <linux/types.h>

enum heartbeat_state { HEARTBEAT_STOPPED, HEARTBEAT_RUNNING, HEARTBEAT_PAUSED };

struct heartbeat {
	enum heartbeat_state state;
	unsigned int period_ms;
	u64 beats;
	u64 pauses;
	struct timer_list timer;
};

/* beat.c */
struct heartbeat *heartbeat_create(unsigned int period_ms);
void heartbeat_set(struct heartbeat *heart, enum heartbeat_state state);
void heartbeat_destroy(struct heartbeat *heart);

#endif

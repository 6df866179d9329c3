/* SPDX-License-Identifier: GPL-2.0 */
/* pulse counts from a timer, hands over to a work item, and cleans up after itself. */
#ifndef PULSE_H
#define PULSE_H

#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct pulse {
	spinlock_t lock;
	struct timer_list timer;
	struct work_struct work;
	unsigned int period_ms;
	u64 ticks;
	u64 handled;
};

struct pulse *pulse_create(unsigned int period_ms);
u64 pulse_handled(struct pulse *pulse);
void pulse_destroy(struct pulse *pulse);

#endif

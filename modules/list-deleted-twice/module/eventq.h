/* SPDX-License-Identifier: GPL-2.0 */
/* eventq queues events for readers; an event may be withdrawn by its number. */
#ifndef EVENTQ_H
#define EVENTQ_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct eventq_event {
	struct list_head node;
	unsigned int number;
	unsigned int state;
	char text[40];
};

#define EVENTQ_QUEUED 1
#define EVENTQ_WITHDRAWN 2

struct eventq {
	spinlock_t lock;
	struct list_head events;
	unsigned int queued;
	/* The last few, by number, for those who ask about an event afterwards. */
	struct eventq_event *history[8];
};

void eventq_setup(struct eventq *queue);
int eventq_put(struct eventq *queue, unsigned int number, const char *text);
int eventq_withdraw(struct eventq *queue, unsigned int number);
void eventq_clear(struct eventq *queue);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "eventq.h"

void eventq_setup(struct eventq *queue)
{
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->events);
}

static struct eventq_event **slot_of(struct eventq *queue, unsigned int number)
{
	return &queue->history[number % ARRAY_SIZE(queue->history)];
}

int eventq_put(struct eventq *queue, unsigned int number, const char *text)
{
	struct eventq_event *event;

	if (*slot_of(queue, number))
		return -EBUSY;
	event = kzalloc(sizeof(*event), GFP_KERNEL);
	if (!event)
		return -ENOMEM;
	event->number = number;
	event->state = EVENTQ_QUEUED;
	snprintf(event->text, sizeof(event->text), "%s", text);
	spin_lock(&queue->lock);
	list_add_tail(&event->node, &queue->events);
	queue->queued++;
	*slot_of(queue, number) = event;
	spin_unlock(&queue->lock);
	return 0;
}

static void unlink_event(struct eventq *queue, struct eventq_event *event)
{
	list_del(&event->node); /* BUG: nobody looked whether the event was withdrawn before */
	queue->queued--;
	event->state = EVENTQ_WITHDRAWN;
}

/* The event stays in the history. */
int eventq_withdraw(struct eventq *queue, unsigned int number)
{
	struct eventq_event *event = *slot_of(queue, number);

	if (!event || event->number != number)
		return -ENOENT;
	spin_lock(&queue->lock);
	unlink_event(queue, event);
	spin_unlock(&queue->lock);
	return 0;
}

void eventq_clear(struct eventq *queue)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queue->history); i++)
		kfree(queue->history[i]);
}

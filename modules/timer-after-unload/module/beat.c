// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "heartbeat.h"

static void heartbeat_again(struct heartbeat *heart)
{
	mod_timer(&heart->timer, jiffies + msecs_to_jiffies(heart->period_ms));
}

static void heartbeat_beat(struct heartbeat *heart)
{
	switch (heart->state) {
	case HEARTBEAT_RUNNING:
		heart->beats++;
		break;
	case HEARTBEAT_PAUSED:
		heart->pauses++;
		break;
	case HEARTBEAT_STOPPED:
		return;
	}
	heartbeat_again(heart);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
static void heartbeat_tick(struct timer_list *timer)
{
	heartbeat_beat(container_of(timer, struct heartbeat, timer));
}
#else
static void heartbeat_tick(unsigned long data)
{
	heartbeat_beat((struct heartbeat *)data);
}
#endif

struct heartbeat *heartbeat_create(unsigned int period_ms)
{
	struct heartbeat *heart = kzalloc(sizeof(*heart), GFP_KERNEL);

	if (!heart)
		return NULL;
	heart->period_ms = period_ms;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
	timer_setup(&heart->timer, heartbeat_tick, 0);
#else
	setup_timer(&heart->timer, heartbeat_tick, (unsigned long)heart);
#endif
	return heart;
}

void heartbeat_set(struct heartbeat *heart, enum heartbeat_state state)
{
	enum heartbeat_state before = heart->state;

	heart->state = state;
	if (before == HEARTBEAT_STOPPED && state != HEARTBEAT_STOPPED)
		heartbeat_again(heart);
}

void heartbeat_destroy(struct heartbeat *heart)
{
	if (heart->state == HEARTBEAT_PAUSED)
		return; /* BUG: the timer of a paused heart is armed, too */
	del_timer_sync(&heart->timer);
	kfree(heart);
}

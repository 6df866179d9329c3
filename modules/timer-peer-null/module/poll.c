// SPDX-License-Identifier: GPL-2.0
/* The periodic comparison, from a timer. */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/version.h>

#include "linkmon.h"

static inline u64 linkmon_carried(const struct linkmon_link *link)
{
	return link->now.bytes - link->before.bytes;
}

static u64 linkmon_difference(const struct linkmon_link *link)
{
	const struct linkmon_link *peer = link->peer;
	u64 mine = linkmon_carried(link);
	u64 theirs = peer->now.bytes - peer->before.bytes; /* BUG: an unpaired link is still watched */

	return mine > theirs ? mine - theirs : theirs - mine;
}

static void linkmon_sample(struct linkmon_link *link)
{
	link->before = link->now;
	link->now.bytes += 1500;
	link->now.packets++;
}

static void linkmon_poll(struct linkmon *monitor)
{
	unsigned int i;

	spin_lock(&monitor->lock);
	for (i = 0; i < LINKMON_LINKS; i++) {
		struct linkmon_link *link = &monitor->links[i];

		if (!link->watched)
			continue;
		linkmon_sample(link);
		monitor->imbalance += linkmon_difference(link);
	}
	monitor->polls++;
	spin_unlock(&monitor->lock);
	mod_timer(&monitor->timer, jiffies + msecs_to_jiffies(monitor->interval_ms));
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
static void linkmon_tick(struct timer_list *timer)
{
	linkmon_poll(container_of(timer, struct linkmon, timer));
}
#else
static void linkmon_tick(unsigned long data)
{
	linkmon_poll((struct linkmon *)data);
}
#endif

void linkmon_start(struct linkmon *monitor)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
	timer_setup(&monitor->timer, linkmon_tick, 0);
#else
	setup_timer(&monitor->timer, linkmon_tick, (unsigned long)monitor);
#endif
	mod_timer(&monitor->timer, jiffies + msecs_to_jiffies(monitor->interval_ms));
}

void linkmon_stop(struct linkmon *monitor)
{
	del_timer_sync(&monitor->timer);
}

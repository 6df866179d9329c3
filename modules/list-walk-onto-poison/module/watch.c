// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "watchset.h"

static LIST_HEAD(watches);
static LIST_HEAD(finished);

int watchset_add(unsigned int number, bool once)
{
	struct watchset_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);

	if (!watch)
		return -ENOMEM;
	watch->number = number;
	watch->once = once;
	list_add_tail(&watch->node, &watches);
	return 0;
}

static void finish(struct watchset_watch *watch)
{
	list_del(&watch->node);
}

unsigned int watchset_report(unsigned int number)
{
	struct watchset_watch *watch;
	unsigned int told = 0;

	for (watch = list_first_entry(&watches, struct watchset_watch, node);
	     &watch->node != &watches;
	     watch = list_entry(watch->node.next, struct watchset_watch, node)) {
		if (watch->number != number) /* BUG: the walk goes on from an entry that finish() took out */
			continue;
		watch->seen++;
		told++;
		if (watch->once)
			finish(watch);
	}
	return told;
}

static void clear(struct list_head *list)
{
	struct watchset_watch *watch, *next;

	list_for_each_entry_safe(watch, next, list, node) {
		list_del(&watch->node);
		kfree(watch);
	}
}

void watchset_clear(void)
{
	clear(&watches);
	clear(&finished);
}

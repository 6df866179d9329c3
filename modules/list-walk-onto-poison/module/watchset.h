/* SPDX-License-Identifier: GPL-2.0 */
/* watchset tells watchers of numbers that they watch. */
#ifndef WATCHSET_H
#define WATCHSET_H

#include <linux/list.h>
#include <linux/types.h>

struct watchset_watch {
	struct list_head node;
	unsigned int number;
	unsigned int seen;
	bool once;
};

int watchset_add(unsigned int number, bool once);
unsigned int watchset_report(unsigned int number);
void watchset_clear(void);

#endif

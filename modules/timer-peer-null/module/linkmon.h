/* SPDX-License-Identifier: GPL-2.0 */
/* linkmon watches pairs of links and compares what they carry, once a tick. */
#ifndef LINKMON_H
#define LINKMON_H

#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>

#define LINKMON_LINKS 4
#define LINKMON_NAME_SIZE 16

struct linkmon_counters {
	u64 bytes;
	u64 packets;
	u64 errors;
};

struct linkmon_link {
	char name[LINKMON_NAME_SIZE];
	bool watched;
	struct linkmon_counters now;
	struct linkmon_counters before;
	struct linkmon_link *peer;
};

struct linkmon {
	spinlock_t lock;
	struct timer_list timer;
	unsigned int interval_ms;
	u64 polls;
	u64 imbalance;
	struct linkmon_link links[LINKMON_LINKS];
};

/* link.c */
struct linkmon_link *linkmon_link_find(struct linkmon *monitor, const char *name);
int linkmon_link_add(struct linkmon *monitor, const char *name);
int linkmon_link_pair(struct linkmon *monitor, const char *one, const char *other);
int linkmon_link_unpair(struct linkmon *monitor, const char *name);

/* poll.c */
void linkmon_start(struct linkmon *monitor);
void linkmon_stop(struct linkmon *monitor);

#endif

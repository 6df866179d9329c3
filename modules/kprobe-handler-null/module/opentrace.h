/* SPDX-License-Identifier: GPL-2.0 */
/* opentrace counts how often each user has files written. */
#ifndef OPENTRACE_H
#define OPENTRACE_H

#include <linux/types.h>

#define OPENTRACE_USERS 16

struct opentrace_user {
	unsigned int uid;
	u64 writes;
};

struct opentrace_table {
	unsigned int count;
	struct opentrace_user *users[OPENTRACE_USERS];
};

extern struct opentrace_table opentrace_table;

/* main.c */
struct opentrace_user *opentrace_find(unsigned int uid);

/* probe.c */
int opentrace_probe_install(void);
void opentrace_probe_remove(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* execmon counts programs that are started, by a hook on the kernel's security check. */
#ifndef EXECMON_H
#define EXECMON_H

#include <linux/types.h>

struct execmon_counts {
	u64 checks;
	u64 by_root;
};

extern struct execmon_counts execmon_counts;

int execmon_install(void);
int execmon_pause(bool pause);
void execmon_remove(void);

#endif

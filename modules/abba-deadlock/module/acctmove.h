/* SPDX-License-Identifier: GPL-2.0 */
/* acctmove moves amounts between accounts, each under a lock of its own. */
#ifndef ACCTMOVE_H
#define ACCTMOVE_H

#include <linux/mutex.h>
#include <linux/types.h>

#define ACCTMOVE_ACCOUNTS 4

struct acctmove_account {
	struct mutex lock;
	unsigned int number;
	long balance;
	u64 moves;
};

void acctmove_setup(void);
int acctmove_move(unsigned int from, unsigned int to, long amount);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "acctmove.h"

static struct acctmove_account accounts[ACCTMOVE_ACCOUNTS];

void acctmove_setup(void)
{
	unsigned int i;

	for (i = 0; i < ACCTMOVE_ACCOUNTS; i++) {
		mutex_init(&accounts[i].lock);
		accounts[i].number = i;
		accounts[i].balance = 100;
	}
}

/* Asks a slow ledger whether the account may give so much. */
static bool may_give(const struct acctmove_account *account, long amount)
{
	msleep(200);
	return account->balance >= amount;
}

static int move_locked(struct acctmove_account *from, struct acctmove_account *to, long amount)
{
	if (!may_give(from, amount))
		return -EDQUOT;
	mutex_lock(&to->lock); /* BUG: two moves in opposite directions take the locks in opposite orders */
	from->balance -= amount;
	to->balance += amount;
	from->moves++;
	to->moves++;
	mutex_unlock(&to->lock);
	return 0;
}

int acctmove_move(unsigned int from, unsigned int to, long amount)
{
	int result;

	if (from >= ACCTMOVE_ACCOUNTS || to >= ACCTMOVE_ACCOUNTS || from == to)
		return -EINVAL;
	mutex_lock(&accounts[from].lock);
	result = move_locked(&accounts[from], &accounts[to], amount);
	mutex_unlock(&accounts[from].lock);
	return result;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "txlock.h"

int txlock_begin(struct txlock_transaction *tx, unsigned int owner)
{
	BUG_ON(tx->state != TXLOCK_IDLE); /* BUG: a commit that failed its check left it open */
	tx->state = TXLOCK_OPEN;
	tx->owner = owner;
	tx->changes = 0;
	memcpy(tx->before, tx->values, sizeof(tx->before));
	return 0;
}

int txlock_set(struct txlock_transaction *tx, unsigned int index, long value)
{
	if (tx->state != TXLOCK_OPEN || index >= TXLOCK_VALUES)
		return -EINVAL;
	tx->values[index] = value;
	tx->changes++;
	return 0;
}

static bool is_sorted(const struct txlock_transaction *tx)
{
	unsigned int i;

	for (i = 1; i < TXLOCK_VALUES; i++) {
		if (tx->values[i] < tx->values[i - 1])
			return false;
	}
	return true;
}

int txlock_commit(struct txlock_transaction *tx, bool check)
{
	if (tx->state != TXLOCK_OPEN)
		return -EINVAL;
	tx->state = TXLOCK_COMMITTING;
	if (check && !is_sorted(tx))
		return -EDOM;
	tx->state = TXLOCK_IDLE;
	return 0;
}

void txlock_abort(struct txlock_transaction *tx)
{
	if (tx->state == TXLOCK_OPEN)
		memcpy(tx->values, tx->before, sizeof(tx->values));
	tx->state = TXLOCK_IDLE;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* txlock lets one owner at a time change a set of values. */
#ifndef TXLOCK_H
#define TXLOCK_H

#include <linux/types.h>

#define TXLOCK_VALUES 8

enum txlock_state { TXLOCK_IDLE, TXLOCK_OPEN, TXLOCK_COMMITTING };

struct txlock_transaction {
	enum txlock_state state;
	unsigned int owner;
	unsigned int changes;
	long before[TXLOCK_VALUES];
	long values[TXLOCK_VALUES];
};

int txlock_begin(struct txlock_transaction *tx, unsigned int owner);
int txlock_set(struct txlock_transaction *tx, unsigned int index, long value);
int txlock_commit(struct txlock_transaction *tx, bool check);
void txlock_abort(struct txlock_transaction *tx);

#endif

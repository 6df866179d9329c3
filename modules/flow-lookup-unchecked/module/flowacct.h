/* SPDX-License-Identifier: GPL-2.0 */
/* flowacct counts the bytes of known flows of packets. */
#ifndef FLOWACCT_H
#define FLOWACCT_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct flowacct_key {
	__be32 from;
	__be32 to;
	u8 protocol;
};

struct flowacct_flow {
	struct hlist_node node;
	struct flowacct_key key;
	u64 packets;
	u64 bytes;
};

/* table.c */
struct flowacct_flow *flowacct_find(const struct flowacct_key *key);
int flowacct_add(const struct flowacct_key *key);
void flowacct_clear(void);

/* hook.c */
int flowacct_hook_install(void);
void flowacct_hook_remove(void);

#endif

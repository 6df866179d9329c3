/* SPDX-License-Identifier: GPL-2.0 */
/* chantab delivers numbers to channels. Channels have labels, which are kept beside them. */
#ifndef CHANTAB_H
#define CHANTAB_H

#include <linux/slab.h>
#include <linux/types.h>

#define CHANTAB_CHANNELS 64
#define CHANTAB_LABEL_SIZE 64

struct chantab_channel {
	int (*deliver)(struct chantab_channel *channel, long number);
	char *label;
	long last;
	u64 delivered;
	unsigned int index;
	unsigned int flags;
	u64 spare[2];
};

/* Channels and labels come from one cache: they have the same size. */
extern struct kmem_cache *chantab_cache;

/* channel.c */
int chantab_open(unsigned int index);
int chantab_deliver(long number);
struct chantab_channel *chantab_get(unsigned int index);
void chantab_close_all(void);

/* label.c */
int chantab_set_label(struct chantab_channel *channel, const char *text);

#endif

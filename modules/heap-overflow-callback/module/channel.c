// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "chantab.h"

struct kmem_cache *chantab_cache;
static struct chantab_channel *channels[CHANTAB_CHANNELS];

static int deliver_last(struct chantab_channel *channel, long number)
{
	channel->last = number;
	return 0;
}

static int deliver_sum(struct chantab_channel *channel, long number)
{
	channel->last += number;
	return 0;
}

int chantab_open(unsigned int index)
{
	struct chantab_channel *channel;

	if (index >= CHANTAB_CHANNELS || channels[index])
		return -EINVAL;
	channel = kmem_cache_zalloc(chantab_cache, GFP_KERNEL);
	if (!channel)
		return -ENOMEM;
	channel->label = kmem_cache_zalloc(chantab_cache, GFP_KERNEL);
	if (!channel->label) {
		kmem_cache_free(chantab_cache, channel);
		return -ENOMEM;
	}
	channel->index = index;
	channel->deliver = index & 1 ? deliver_sum : deliver_last;
	channels[index] = channel;
	return 0;
}

struct chantab_channel *chantab_get(unsigned int index)
{
	return index < CHANTAB_CHANNELS ? channels[index] : NULL;
}

static int deliver_one(struct chantab_channel *channel, long number)
{
	int result = channel->deliver(channel, number); /* BUG: the label of a neighbour was longer than its room */

	if (!result)
		channel->delivered++;
	return result;
}

int chantab_deliver(long number)
{
	unsigned int i;
	int result = 0;

	for (i = 0; i < CHANTAB_CHANNELS && !result; i++) {
		if (channels[i])
			result = deliver_one(channels[i], number);
	}
	return result;
}

void chantab_close_all(void)
{
	unsigned int i;

	for (i = 0; i < CHANTAB_CHANNELS; i++) {
		if (!channels[i])
			continue;
		kmem_cache_free(chantab_cache, channels[i]->label);
		kmem_cache_free(chantab_cache, channels[i]);
	}
}

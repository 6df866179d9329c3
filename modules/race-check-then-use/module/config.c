// SPDX-License-Identifier: GPL-2.0
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "confswap.h"

static struct confswap_config configs[2] = {
	{ .generation = 1, .weight = 3 },
	{ .generation = 2, .weight = 5 },
};

static unsigned int weigh(const struct confswap_config *config)
{
	return config->weight * 16 + config->generation; /* BUG: it was there when it was looked for */
}

/* The history of a configuration's use, folded into one number. */
static unsigned int fold(unsigned int sum, u64 count)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		sum = sum * 31 + (unsigned int)(count >> bit & 1);
	return sum;
}

unsigned int confswap_read(struct confswap *swap)
{
	struct confswap_config *volatile *active = &swap->active;

	swap->reads++;
	if (!*active)
		return 0;
	barrier();
	swap->history = fold(swap->history, swap->reads);
	barrier();
	return weigh(*active);
}

/* For a moment there is none. */
void confswap_replace(struct confswap *swap)
{
	struct confswap_config *volatile *active = &swap->active;
	struct confswap_config *next = &configs[swap->swaps++ % ARRAY_SIZE(configs)];

	*active = NULL;
	barrier();
	next->spare[0] = fold(next->spare[0], swap->swaps);
	barrier();
	*active = next;
}

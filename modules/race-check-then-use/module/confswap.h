/* SPDX-License-Identifier: GPL-2.0 */
/* confswap lets a reader use a configuration that a writer may take away. */
#ifndef CONFSWAP_H
#define CONFSWAP_H

#include <linux/types.h>

struct confswap_config {
	unsigned int generation;
	unsigned int weight;
	unsigned int spare[6];
};

struct confswap {
	struct confswap_config *active;
	u64 reads;
	u64 swaps;
	unsigned int history;
};

unsigned int confswap_read(struct confswap *swap);
void confswap_replace(struct confswap *swap);

#endif

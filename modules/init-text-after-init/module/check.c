// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>

#include "selftest.h"

static u32 sum(const struct selftest_block *block)
{
	u32 total = 0;
	unsigned int i;

	for (i = 0; i < SELFTEST_WORDS; i++)
		total += block->words[i];
	return total;
}

static u32 __init rotate(const struct selftest_block *block)
{
	u32 total = 0;
	unsigned int i;

	for (i = 0; i < SELFTEST_WORDS; i++)
		total = (total << 5 | total >> 27) ^ block->words[i];
	return total;
}

void __init selftest_choose(struct selftest_operations *operations, bool strong)
{
	operations->name = strong ? "rotate" : "sum";
	operations->checksum = strong ? rotate : sum;
}

bool selftest_check(const struct selftest_operations *operations,
		    const struct selftest_block *block)
{
	u32 now = operations->checksum(block); /* BUG: the strong one is freed when the init is over */

	return now == block->checksum;
}

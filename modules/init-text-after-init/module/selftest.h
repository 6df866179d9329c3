/* SPDX-License-Identifier: GPL-2.0 */
/* selftest checks a block of words when it is loaded, and again when asked. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <linux/init.h>
#include <linux/types.h>

#define SELFTEST_WORDS 32

struct selftest_block {
	u32 words[SELFTEST_WORDS];
	u32 checksum;
};

struct selftest_operations {
	const char *name;
	u32 (*checksum)(const struct selftest_block *block);
};

void __init selftest_choose(struct selftest_operations *operations, bool strong);
bool selftest_check(const struct selftest_operations *operations,
		    const struct selftest_block *block);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* cursor walks over blocks of words. */
#ifndef CURSOR_H
#define CURSOR_H

#include <linux/types.h>

#define CURSOR_WORDS 24

struct cursor_block {
	unsigned int count;
	u64 words[CURSOR_WORDS];
};

struct cursor_position {
	struct cursor_block *block;
	unsigned int index;
	unsigned int step;
};

u64 cursor_mix(u64 seed);
u64 cursor_sum(unsigned int mode, unsigned int step);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "cursor.h"

static struct cursor_block blocks[2] = {
	{ .count = 4, .words = { 1, 2, 3, 4 } },
	{ .count = 2, .words = { 10, 20 } },
};

/* Leaves what it worked with on the stack, as every function does. */
noinline u64 cursor_mix(u64 seed)
{
	u64 scratch[CURSOR_WORDS];
	unsigned int i;

	for (i = 0; i < CURSOR_WORDS; i++)
		scratch[i] = 0x5ca1ab1e00000000ULL + seed * (i + 1);
	barrier_data(scratch);
	return scratch[seed % CURSOR_WORDS];
}

static noinline void start(struct cursor_position *position, unsigned int mode, unsigned int step)
{
	position->index = 0;
	position->step = step;
	switch (mode) {
	case 0:
		position->block = &blocks[0];
		break;
	case 1:
		position->block = &blocks[1];
		break;
	}
}

static noinline u64 walk(struct cursor_position *position)
{
	u64 sum = 0;

	while (position->index < position->block->count) { /* BUG: no block was chosen for this mode */
		sum += position->block->words[position->index];
		position->index += position->step;
	}
	return sum;
}

noinline u64 cursor_sum(unsigned int mode, unsigned int step)
{
	u64 marks[CURSOR_WORDS - 4];
	struct cursor_position position;

	start(&position, mode, step);
	barrier_data(marks);
	return walk(&position);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* minijit turns a limit into a few instructions that compare with it. */
#ifndef MINIJIT_H
#define MINIJIT_H

#include <linux/types.h>

#define MINIJIT_CODE 64

struct minijit_filter {
	unsigned int limit;
	unsigned int length;
	u64 runs;
	union {
		u8 *code;
		bool (*matches)(unsigned int value);
	};
};

struct minijit_filter *minijit_compile(unsigned int limit);
bool minijit_run(struct minijit_filter *filter, unsigned int value);
void minijit_free(struct minijit_filter *filter);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* sealcheck stops the machine when a sealed value was changed, as its policy says. */
#ifndef SEALCHECK_H
#define SEALCHECK_H

#include <linux/types.h>

#define SEALCHECK_VALUES 4

struct sealcheck_seal {
	bool sealed;
	u32 seal;
};

struct sealcheck {
	u32 values[SEALCHECK_VALUES];
	struct sealcheck_seal seals[SEALCHECK_VALUES];
};

int sealcheck_set(struct sealcheck *check, unsigned int index, u32 value);
int sealcheck_seal(struct sealcheck *check, unsigned int index);
void sealcheck_verify(const struct sealcheck *check);

#endif

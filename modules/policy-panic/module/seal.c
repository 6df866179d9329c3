// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "sealcheck.h"

static u32 seal_of(u32 value)
{
	return value * 2654435761U ^ 0x5ea1;
}

int sealcheck_set(struct sealcheck *check, unsigned int index, u32 value)
{
	if (index >= SEALCHECK_VALUES)
		return -EINVAL;
	check->values[index] = value;
	return 0;
}

int sealcheck_seal(struct sealcheck *check, unsigned int index)
{
	if (index >= SEALCHECK_VALUES || check->seals[index].sealed)
		return -EINVAL;
	check->seals[index].seal = seal_of(check->values[index]);
	check->seals[index].sealed = true;
	return 0;
}

static bool is_intact(const struct sealcheck *check, unsigned int index)
{
	return !check->seals[index].sealed ||
	       check->seals[index].seal == seal_of(check->values[index]);
}

void sealcheck_verify(const struct sealcheck *check)
{
	unsigned int i;

	for (i = 0; i < SEALCHECK_VALUES; i++) {
		if (!is_intact(check, i))
			panic("sealcheck: the seal of value %u is broken", i);
	}
}

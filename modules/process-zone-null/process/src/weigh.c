// SPDX-License-Identifier: GPL-2.0
#include "process.h"

/* How far a file is trusted is told by where it lies. */
void process_weigh(akfs_process_t *record)
{
	record->zone->executed++; /* BUG: what is in memory only lies in no zone */
	if (record->zone->trust < AKFS_TRUST_VENDOR)
		record->flags |= PROCESS_UNTRUSTED;
}

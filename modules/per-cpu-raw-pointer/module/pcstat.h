/* SPDX-License-Identifier: GPL-2.0 */
/* pcstat counts reads and writes, for each CPU on its own. */
#ifndef PCSTAT_H
#define PCSTAT_H

#include <linux/percpu.h>
#include <linux/types.h>

struct pcstat_counters {
	u64 reads;
	u64 writes;
};

struct pcstat {
	struct pcstat_counters __percpu *counters;
};

int pcstat_create(struct pcstat *stat);
void pcstat_destroy(struct pcstat *stat);
void pcstat_note_read(struct pcstat *stat);
void pcstat_note_write(struct pcstat *stat);
u64 pcstat_reads(struct pcstat *stat);

#endif

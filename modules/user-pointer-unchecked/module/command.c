// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "cmdport.h"

static int sum(const struct cmdport_packet *packet)
{
	unsigned int i;
	int total = 0;

	for (i = 0; i < packet->length && i < CMDPORT_BODY; i++)
		total += packet->body[i];
	return total;
}

int cmdport_accept(const struct cmdport_packet *packet, struct cmdport_counts *counts)
{
	if (packet->magic != CMDPORT_MAGIC) { /* BUG: the packet is still in the program's own memory */
		counts->refused++;
		return -EINVAL;
	}
	counts->accepted++;
	return packet->command == 1 ? sum(packet) : -EOPNOTSUPP;
}

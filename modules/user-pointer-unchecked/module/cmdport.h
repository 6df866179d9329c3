/* SPDX-License-Identifier: GPL-2.0 */
/* cmdport takes packets of commands from user space. */
#ifndef CMDPORT_H
#define CMDPORT_H

#include <linux/types.h>

#define CMDPORT_MAGIC 0x54524f50 /* "PORT" */
#define CMDPORT_BODY 32

struct cmdport_packet {
	u32 magic;
	u16 command;
	u16 length;
	u8 body[CMDPORT_BODY];
};

struct cmdport_counts {
	u64 accepted;
	u64 refused;
};

int cmdport_accept(const struct cmdport_packet *packet, struct cmdport_counts *counts);

#endif

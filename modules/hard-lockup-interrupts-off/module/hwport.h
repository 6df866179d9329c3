/* SPDX-License-Identifier: GPL-2.0 */
/* hwport drives a port whose registers are in memory. */
#ifndef HWPORT_H
#define HWPORT_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define HWPORT_BUSY 0x80
#define HWPORT_ERROR 0x01

struct hwport_registers {
	u32 status;
	u32 data;
	u32 command;
};

struct hwport {
	spinlock_t lock;
	struct hwport_registers *registers;
	u64 sent;
	u64 failed;
};

int hwport_send(struct hwport *port, u32 word);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "hwport.h"

static u32 status_of(struct hwport *port)
{
	return *(volatile u32 *)&port->registers->status;
}

/* Called with the lock held and interrupts off. */
static void wait_ready(struct hwport *port)
{
	for (; status_of(port) & HWPORT_BUSY; cpu_relax()) /* BUG: a port that failed stays busy for ever */
		;
}

int hwport_send(struct hwport *port, u32 word)
{
	unsigned long flags;
	int result = 0;

	spin_lock_irqsave(&port->lock, flags);
	wait_ready(port);
	port->registers->data = word;
	port->registers->command = 1;
	if (status_of(port) & HWPORT_ERROR)
		result = -EIO;
	if (result)
		port->failed++;
	else
		port->sent++;
	spin_unlock_irqrestore(&port->lock, flags);
	return result;
}

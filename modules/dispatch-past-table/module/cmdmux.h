/* SPDX-License-Identifier: GPL-2.0 */
/* cmdmux takes commands by their codes. */
#ifndef CMDMUX_H
#define CMDMUX_H

#include <linux/types.h>

#define CMDMUX_CODES 5

struct cmdmux_device;

struct cmdmux_protocol {
	unsigned int codes;
	int (*handlers[CMDMUX_CODES])(struct cmdmux_device *device, u32 argument);
	const char *names[CMDMUX_CODES];
};

struct cmdmux_device {
	const struct cmdmux_protocol *protocol;
	u32 position;
	u32 limit;
	u64 done;
};

/* dispatch.c */
int cmdmux_dispatch(struct cmdmux_device *device, unsigned int code, u32 argument);
extern const struct cmdmux_protocol cmdmux_protocol;

#endif

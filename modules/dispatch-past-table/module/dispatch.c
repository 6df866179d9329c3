// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "cmdmux.h"

static int cmd_seek(struct cmdmux_device *device, u32 argument)
{
	if (argument > device->limit)
		return -ERANGE;
	device->position = argument;
	return 0;
}

static int cmd_forward(struct cmdmux_device *device, u32 argument)
{
	return cmd_seek(device, device->position + argument);
}

static int cmd_back(struct cmdmux_device *device, u32 argument)
{
	return cmd_seek(device, device->position - min(argument, device->position));
}

static int cmd_limit(struct cmdmux_device *device, u32 argument)
{
	device->limit = argument;
	device->position = min(device->position, argument);
	return 0;
}

static int cmd_reset(struct cmdmux_device *device, u32 argument)
{
	device->position = 0;
	return 0;
}

const struct cmdmux_protocol cmdmux_protocol = {
	.codes = CMDMUX_CODES,
	.handlers = { cmd_seek, cmd_forward, cmd_back, cmd_limit, cmd_reset },
	.names = { "seek", "forward", "back", "limit", "reset" },
};

int cmdmux_dispatch(struct cmdmux_device *device, unsigned int code, u32 argument)
{
	const struct cmdmux_protocol *protocol = device->protocol;
	int error;

	if (code > protocol->codes)
		return -EINVAL;
	error = protocol->handlers[code](device, argument); /* BUG: the last code is one too many */
	if (!error)
		device->done++;
	return error;
}

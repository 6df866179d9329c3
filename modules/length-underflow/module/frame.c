// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "frame.h"

static size_t payload_length(const struct frame_header *header)
{
	return header->length - sizeof(*header);
}

static noinline void append(struct frame_buffer *buffer, const u8 *payload, size_t length)
{
	u8 *to = buffer->data + buffer->used;

	memcpy(to, payload, length); /* BUG: a length below the header's own wraps */
	buffer->used += length;
}

int frame_accept(struct frame_buffer *buffer, const u8 *bytes, size_t size)
{
	const struct frame_header *header = (const void *)bytes;

	if (size < sizeof(*header) || header->version != 1)
		return -EPROTO;
	if ((int)payload_length(header) > (int)sizeof(buffer->data))
		return -EMSGSIZE;
	append(buffer, bytes + sizeof(*header), payload_length(header));
	return 0;
}

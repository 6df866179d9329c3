/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FRAME_H
#define FRAME_H
#include <linux/types.h>

struct frame_header {
	u8 version;
	u8 type;
	u16 length;
} __packed;

struct frame_buffer {
	size_t used;
	u8 data[256];
};

int frame_accept(struct frame_buffer *buffer, const u8 *bytes, size_t size);
#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* snapbuf keeps a snapshot of a text, by its number. */
#ifndef SNAPBUF_H
#define SNAPBUF_H

#include <linux/types.h>

#define SNAPBUF_ORDER 1

struct snapbuf_snapshot {
	unsigned int number;
	unsigned int length;
	struct page *pages;
};

int snapbuf_take(struct snapbuf_snapshot *snapshot, const char *text);
void snapbuf_drop(struct snapbuf_snapshot *snapshot);

#endif

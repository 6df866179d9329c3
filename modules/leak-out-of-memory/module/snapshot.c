// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "snapbuf.h"

static struct page *room(void)
{
	return alloc_pages(GFP_KERNEL, SNAPBUF_ORDER); /* BUG: the pages of the snapshot before are never freed */
}

int snapbuf_take(struct snapbuf_snapshot *snapshot, const char *text)
{
	struct page *pages = room();

	if (!pages)
		return -ENOMEM;
	snapshot->pages = pages;
	snapshot->length = strlen(text);
	snapshot->number++;
	memcpy(page_address(pages), text, snapshot->length);
	return 0;
}

void snapbuf_drop(struct snapbuf_snapshot *snapshot)
{
	if (snapshot->pages)
		__free_pages(snapshot->pages, SNAPBUF_ORDER);
	snapshot->pages = NULL;
}

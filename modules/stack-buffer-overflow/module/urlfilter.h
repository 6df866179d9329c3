/* SPDX-License-Identifier: GPL-2.0 */
/* urlfilter says whether the host of an address is in its list. */
#ifndef URLFILTER_H
#define URLFILTER_H

#include <linux/types.h>

#define URLFILTER_HOST_SIZE 32
#define URLFILTER_HOSTS 8

struct urlfilter_list {
	unsigned int count;
	char hosts[URLFILTER_HOSTS][URLFILTER_HOST_SIZE];
};

int urlfilter_block(struct urlfilter_list *list, const char *host);
bool urlfilter_is_blocked(const struct urlfilter_list *list, const char *address);

#endif

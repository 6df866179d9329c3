// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "urlfilter.h"

int urlfilter_block(struct urlfilter_list *list, const char *host)
{
	if (list->count == URLFILTER_HOSTS)
		return -ENOSPC;
	snprintf(list->hosts[list->count++], URLFILTER_HOST_SIZE, "%s", host);
	return 0;
}

static bool in_list(const struct urlfilter_list *list, const char *host)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (!strcmp(list->hosts[i], host))
			return true;
	}
	return false;
}

static const char *skip_scheme(const char *address)
{
	const char *host = strstr(address, "://");

	return host ? host + 3 : address;
}

bool urlfilter_is_blocked(const struct urlfilter_list *list, const char *address)
{
	char host[URLFILTER_HOST_SIZE];
	char *to = host;

	for (address = skip_scheme(address); *address && *address != '/'; address++)
		*to++ = tolower(*address);
	*to = '\0';
	return in_list(list, host);
} /* BUG: the loop above fills the host without asking for its room */

// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/errno.h>

#include "chantab.h"

/* Copies the text without its control characters. The room for it is not asked for. */
int chantab_set_label(struct chantab_channel *channel, const char *text)
{
	char *to = channel->label;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (isprint(*text))
			*to++ = *text;
	}
	return 0;
}

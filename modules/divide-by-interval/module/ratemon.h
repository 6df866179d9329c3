/* SPDX-License-Identifier: GPL-2.0 */
/* ratemon turns counts into rates. */
#ifndef RATEMON_H
#define RATEMON_H

#include <linux/types.h>

struct ratemon_window {
	unsigned int seconds;
	unsigned int slots;
};

struct ratemon_meter {
	struct ratemon_window window;
	unsigned int count;
	unsigned int peak;
};

void ratemon_configure(struct ratemon_meter *meter, unsigned int milliseconds);
unsigned int ratemon_rate(struct ratemon_meter *meter);

#endif

// SPDX-License-Identifier: GPL-2.0
#include "ratemon.h"

/* Windows below a second become one of no seconds. */
void ratemon_configure(struct ratemon_meter *meter, unsigned int milliseconds)
{
	meter->window.seconds = milliseconds / 1000;
	meter->window.slots = 1 + milliseconds / 60000;
}

static inline unsigned int per_second(unsigned int count, const struct ratemon_window *window)
{
	return count / window->seconds; /* BUG: a window below a second has none */
}

unsigned int ratemon_rate(struct ratemon_meter *meter)
{
	unsigned int rate = per_second(meter->count, &meter->window);

	if (rate > meter->peak)
		meter->peak = rate;
	meter->count = 0;
	return rate;
}

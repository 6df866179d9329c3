/* SPDX-License-Identifier: GPL-2.0 */
/* ledctl lets lamps blink. */
#ifndef LEDCTL_H
#define LEDCTL_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define LEDCTL_LEDS 4

struct ledctl_led {
	bool on;
	u64 changes;
};

struct ledctl {
	spinlock_t lock;
	unsigned int settle_ms;
	struct ledctl_led leds[LEDCTL_LEDS];
};

int ledctl_switch(struct ledctl *control, unsigned int led, bool on);
int ledctl_blink(struct ledctl *control, unsigned int led, unsigned int times);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/errno.h>

#include "ledctl.h"

static void set_led(struct ledctl_led *led, bool on)
{
	if (led->on != on)
		led->changes++;
	led->on = on;
}

int ledctl_switch(struct ledctl *control, unsigned int led, bool on)
{
	if (led >= LEDCTL_LEDS)
		return -EINVAL;
	spin_lock_bh(&control->lock);
	set_led(&control->leds[led], on);
	spin_unlock_bh(&control->lock);
	return 0;
}

static void blink_once(struct ledctl *control, struct ledctl_led *led)
{
	set_led(led, true);
	msleep(control->settle_ms); /* BUG: the caller holds a spinlock */
	set_led(led, false);
}

int ledctl_blink(struct ledctl *control, unsigned int led, unsigned int times)
{
	if (led >= LEDCTL_LEDS)
		return -EINVAL;
	spin_lock_bh(&control->lock);
	while (times--)
		blink_once(control, &control->leds[led]);
	spin_unlock_bh(&control->lock);
	return 0;
}

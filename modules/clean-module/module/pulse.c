// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "pulse.h"

static void pulse_work(struct work_struct *work)
{
	struct pulse *pulse = container_of(work, struct pulse, work);

	spin_lock_bh(&pulse->lock);
	pulse->handled = pulse->ticks;
	spin_unlock_bh(&pulse->lock);
}

static void pulse_again(struct pulse *pulse)
{
	mod_timer(&pulse->timer, jiffies + msecs_to_jiffies(pulse->period_ms));
}

static void pulse_tick(struct pulse *pulse)
{
	spin_lock(&pulse->lock);
	pulse->ticks++;
	spin_unlock(&pulse->lock);
	schedule_work(&pulse->work);
	pulse_again(pulse);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
static void pulse_timer(struct timer_list *timer)
{
	pulse_tick(container_of(timer, struct pulse, timer));
}
#else
static void pulse_timer(unsigned long data)
{
	pulse_tick((struct pulse *)data);
}
#endif

struct pulse *pulse_create(unsigned int period_ms)
{
	struct pulse *pulse = kzalloc(sizeof(*pulse), GFP_KERNEL);

	if (!pulse)
		return NULL;
	spin_lock_init(&pulse->lock);
	INIT_WORK(&pulse->work, pulse_work);
	pulse->period_ms = period_ms;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
	timer_setup(&pulse->timer, pulse_timer, 0);
#else
	setup_timer(&pulse->timer, pulse_timer, (unsigned long)pulse);
#endif
	pulse_again(pulse);
	return pulse;
}

u64 pulse_handled(struct pulse *pulse)
{
	u64 handled;

	spin_lock_bh(&pulse->lock);
	handled = pulse->handled;
	spin_unlock_bh(&pulse->lock);
	return handled;
}

void pulse_destroy(struct pulse *pulse)
{
	del_timer_sync(&pulse->timer);
	cancel_work_sync(&pulse->work);
	kfree(pulse);
}

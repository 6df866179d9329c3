// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "hooktab.h"

static struct hooktab_hook *hooks[HOOKTAB_HOOKS];
static struct hooktab_stats stats[HOOKTAB_HOOKS];

/* A second way to the hook that ran last: most runs come in rows. */
static struct hooktab_hook *recent;

static int sum_digits(struct hooktab_hook *hook, long argument)
{
	long sum = 0;

	for (; argument > 0; argument /= 10)
		sum += argument % 10;
	hook->flags = sum;
	return 0;
}

int hooktab_add(unsigned int number, const char *name)
{
	struct hooktab_hook *hook;

	if (number >= HOOKTAB_HOOKS || hooks[number])
		return -EINVAL;
	hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	if (!hook)
		return -ENOMEM;
	snprintf(hook->name, sizeof(hook->name), "%s", name);
	hook->number = number;
	hook->stats = &stats[number];
	hook->run = sum_digits;
	hooks[number] = hook;
	return 0;
}

int hooktab_remove(unsigned int number)
{
	if (number >= HOOKTAB_HOOKS || !hooks[number])
		return -ENOENT;
	kfree(hooks[number]);
	hooks[number] = NULL;
	return 0;
}

static struct hooktab_hook *find(unsigned int number)
{
	if (recent)
		return recent;
	return number < HOOKTAB_HOOKS ? hooks[number] : NULL;
}

static int run_counted(struct hooktab_hook *hook, long argument)
{
	int result;

	hook->stats->runs++; /* BUG: the recent hook was removed, its memory holds a note now */
	result = hook->run(hook, argument);
	if (result)
		hook->stats->failures++;
	return result;
}

int hooktab_run(unsigned int number, long argument)
{
	struct hooktab_hook *hook = find(number);

	if (!hook)
		return -ENOENT;
	recent = hook;
	return run_counted(hook, argument);
}

void hooktab_remove_all(void)
{
	unsigned int i;

	for (i = 0; i < HOOKTAB_HOOKS; i++)
		hooktab_remove(i);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "namereg.h"

static DEFINE_SPINLOCK(lock);
static char names[NAMEREG_NAMES][NAMEREG_NAME_SIZE];

static int find_locked(const char *name)
{
	int i;

	for (i = 0; i < NAMEREG_NAMES; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -ENOENT;
}

int namereg_lookup(const char *name)
{
	int number;

	spin_lock(&lock); /* BUG: a rename that is refused looks the name up with the lock held */
	number = find_locked(name);
	spin_unlock(&lock);
	return number;
}

int namereg_register(const char *name)
{
	int number;

	spin_lock(&lock);
	number = find_locked("");
	if (number >= 0)
		snprintf(names[number], NAMEREG_NAME_SIZE, "%s", name);
	spin_unlock(&lock);
	return number;
}

static int refuse(const char *to)
{
	int number = namereg_lookup(to);

	pr_info("namereg: %s is taken, it has number %d\n", to, number);
	return -EEXIST;
}

int namereg_rename(const char *name, const char *to)
{
	int number, result = 0;

	spin_lock(&lock);
	number = find_locked(name);
	if (number < 0)
		result = number;
	else if (find_locked(to) >= 0)
		result = refuse(to);
	else
		snprintf(names[number], NAMEREG_NAME_SIZE, "%s", to);
	spin_unlock(&lock);
	return result;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/string.h>

#include "pagepol.h"

static const struct pagepol_verdict allow = { "allow", 0 };
static const struct pagepol_verdict deny = { "deny", -EPERM };

static struct pagepol_policy *current_policy;

/* What asked last asks again, most likely: it keeps the policy at hand. */
static struct pagepol_policy *at_hand;

int pagepol_load(const char *name, unsigned int port)
{
	struct pagepol_policy *policy;

	BUILD_BUG_ON(sizeof(*policy) != PAGE_SIZE);
	if (current_policy)
		return -EBUSY;
	policy = (struct pagepol_policy *)get_zeroed_page(GFP_KERNEL);
	if (!policy)
		return -ENOMEM;
	policy->listed = strcmp(name, "deny") ? &allow : &deny;
	policy->otherwise = strcmp(name, "deny") ? &deny : &allow;
	policy->ports[policy->count++] = port;
	current_policy = policy;
	return 0;
}

void pagepol_unload(void)
{
	free_page((unsigned long)current_policy);
	current_policy = NULL;
}

static noinline int verdict_of(const struct pagepol_policy *policy, unsigned int port)
{
	unsigned int i;

	for (i = 0; i < policy->count; i++) {
		if (policy->ports[i] == port)
			return policy->listed->code;
	}
	return policy->otherwise->code; /* BUG: the policy at hand was unloaded */
}

int pagepol_ask(unsigned int port)
{
	if (!at_hand)
		at_hand = current_policy;
	if (!at_hand)
		return -ENOENT;
	return verdict_of(at_hand, port);
}

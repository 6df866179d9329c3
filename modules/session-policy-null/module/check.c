// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>

#include "fileguard.h"

static bool fg_rule_applies(const struct fg_rule *rule, const char *path)
{
	return !strncmp(rule->prefix, path, strlen(rule->prefix));
}

static u32 fg_denied_by_rules(const struct fg_policy *policy, const char *path)
{
	u32 denied = 0;
	unsigned int i;

	for (i = 0; i < policy->count; i++) {
		if (fg_rule_applies(&policy->rules[i], path))
			denied |= policy->rules[i].denied;
	}
	return denied;
}

enum fg_decision fg_check(struct fg_request *request)
{
	request->session->requests++;
	if (request->access & ~request->session->policy->default_mask) /* BUG: a session may have no policy */
		return FG_DENY;
	if (request->access & fg_denied_by_rules(request->session->policy, request->path))
		return FG_DENY;
	return FG_ALLOW;
}

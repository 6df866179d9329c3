// SPDX-License-Identifier: GPL-2.0
/* The list of sessions. The caller holds the device's mutex. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fileguard.h"

static LIST_HEAD(sessions);

struct fg_session *fg_session_find(const char *name)
{
	struct fg_session *session;

	list_for_each_entry(session, &sessions, node) {
		if (!strcmp(session->name, name))
			return session;
	}
	return NULL;
}

int fg_session_open(const char *name)
{
	struct fg_session *session;

	if (fg_session_find(name))
		return -EEXIST;
	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	snprintf(session->name, sizeof(session->name), "%s", name);
	list_add_tail(&session->node, &sessions);
	return 0;
}

int fg_session_attach(const char *name, u32 mask)
{
	struct fg_session *session = fg_session_find(name);
	struct fg_policy *policy;

	if (!session)
		return -ENOENT;
	policy = kzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy)
		return -ENOMEM;
	snprintf(policy->name, sizeof(policy->name), "%s-policy", session->name);
	policy->default_mask = mask;
	kfree(session->policy);
	session->policy = policy;
	return 0;
}

int fg_session_deny(const char *name, const char *prefix)
{
	struct fg_session *session = fg_session_find(name);
	struct fg_rule *rule;

	if (!session || !session->policy)
		return -ENOENT;
	if (session->policy->count == ARRAY_SIZE(session->policy->rules))
		return -ENOSPC;
	rule = &session->policy->rules[session->policy->count++];
	snprintf(rule->prefix, sizeof(rule->prefix), "%s", prefix);
	rule->denied = FG_READ | FG_WRITE;
	return 0;
}

void fg_session_close_all(void)
{
	struct fg_session *session, *next;

	list_for_each_entry_safe(session, next, &sessions, node) {
		list_del(&session->node);
		kfree(session->policy);
		kfree(session);
	}
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "jobq.h"

DEFINE_MUTEX(jobq_clients_lock);
static LIST_HEAD(clients);

struct jobq_client *jobq_client_find(const char *name)
{
	struct jobq_client *client;

	list_for_each_entry(client, &clients, node) {
		if (!strcmp(client->name, name))
			return client;
	}
	return NULL;
}

int jobq_client_open(const char *name)
{
	struct jobq_client *client = jobq_client_find(name);

	if (!client) {
		client = kzalloc(sizeof(*client), GFP_KERNEL);
		if (!client)
			return -ENOMEM;
		snprintf(client->name, sizeof(client->name), "%s", name);
		list_add(&client->node, &clients);
	}
	if (client->mailbox)
		return -EBUSY;
	client->mailbox = kzalloc(sizeof(*client->mailbox), GFP_KERNEL);
	return client->mailbox ? 0 : -ENOMEM;
}

/* A closed client stays in the list, so that it can be opened again by its name. */
int jobq_client_close(const char *name)
{
	struct jobq_client *client = jobq_client_find(name);
	struct jobq_mailbox *mailbox;

	if (!client || !client->mailbox)
		return -ENOENT;
	mailbox = client->mailbox;
	client->mailbox = NULL;
	kfree(mailbox);
	return 0;
}

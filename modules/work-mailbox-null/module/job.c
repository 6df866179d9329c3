// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "jobq.h"

static struct workqueue_struct *queue;

static u64 run_weight(const struct jobq_job *job)
{
	return hweight64(job->argument);
}

static u64 run_square(const struct jobq_job *job)
{
	return job->argument * job->argument;
}

static const struct jobq_operations operations[] = {
	{ .name = "weight", .run = run_weight },
	{ .name = "square", .run = run_square },
};

static bool mailbox_put(struct jobq_mailbox *mailbox, u64 result)
{
	unsigned int next = (mailbox->head + 1) % JOBQ_RESULTS; /* BUG: the client was closed with a job under way */

	if (next == mailbox->tail)
		return false;
	mailbox->results[mailbox->head] = result;
	mailbox->head = next;
	return true;
}

static void jobq_deliver(struct jobq_job *job, u64 result)
{
	struct jobq_client *client = job->client;

	if (!mailbox_put(client->mailbox, result))
		pr_warn_ratelimited("jobq: the mailbox of %s is full\n", client->name);
	client->pending--;
}

static void jobq_work(struct work_struct *work)
{
	struct jobq_job *job = container_of(to_delayed_work(work), struct jobq_job, work);
	u64 result = job->operations->run(job);

	mutex_lock(&jobq_clients_lock);
	jobq_deliver(job, result);
	mutex_unlock(&jobq_clients_lock);
	kfree(job);
}

int jobq_submit(struct jobq_client *client, const char *operation, u64 argument)
{
	struct jobq_job *job;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].name, operation))
			continue;
		job = kzalloc(sizeof(*job), GFP_KERNEL);
		if (!job)
			return -ENOMEM;
		INIT_DELAYED_WORK(&job->work, jobq_work);
		job->client = client;
		job->operations = &operations[i];
		job->argument = argument;
		client->pending++;
		queue_delayed_work(queue, &job->work, msecs_to_jiffies(100));
		return 0;
	}
	return -EINVAL;
}

int jobq_start(void)
{
	queue = alloc_workqueue("jobq", WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

void jobq_stop(void)
{
	destroy_workqueue(queue);
}

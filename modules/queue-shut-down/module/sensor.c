// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "thermlog.h"

static void review(struct work_struct *work)
{
	struct thermlog_sensor *sensor = container_of(work, struct thermlog_sensor, review);
	unsigned int i;

	spin_lock(&sensor->lock);
	for (i = 0; i < THERMLOG_READINGS; i++)
		sensor->highest = max(sensor->highest, sensor->readings[i]);
	spin_unlock(&sensor->lock);
}

int thermlog_start(struct thermlog_sensor *sensor)
{
	spin_lock_init(&sensor->lock);
	INIT_WORK(&sensor->review, review);
	sensor->queue.workers = alloc_workqueue("thermlog", WQ_UNBOUND, 1);
	return sensor->queue.workers ? 0 : -ENOMEM;
}

void thermlog_shutdown(struct thermlog_sensor *sensor)
{
	struct workqueue_struct *workers = sensor->queue.workers;

	sensor->queue.workers = NULL;
	if (workers)
		destroy_workqueue(workers);
}

int thermlog_report(struct thermlog_sensor *sensor, int reading)
{
	if (reading < -60 || reading > 200)
		return -ERANGE;
	spin_lock(&sensor->lock);
	sensor->readings[sensor->next++ % THERMLOG_READINGS] = reading;
	spin_unlock(&sensor->lock);
	if (queue_work(sensor->queue.workers, &sensor->review)) /* BUG: NULL after the shutdown */
		sensor->queue.queued++;
	return 0;
}

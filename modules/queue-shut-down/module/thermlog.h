/* SPDX-License-Identifier: GPL-2.0 */
/* thermlog keeps the last readings of a sensor and looks at them in a work item. */
#ifndef THERMLOG_H
#define THERMLOG_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define THERMLOG_READINGS 16

struct thermlog_queue {
	struct workqueue_struct *workers;
	unsigned int queued;
};

struct thermlog_sensor {
	spinlock_t lock;
	int readings[THERMLOG_READINGS];
	unsigned int next;
	int highest;
	struct thermlog_queue queue;
	struct work_struct review;
};

/* sensor.c */
int thermlog_start(struct thermlog_sensor *sensor);
void thermlog_shutdown(struct thermlog_sensor *sensor);
int thermlog_report(struct thermlog_sensor *sensor, int reading);

#endif

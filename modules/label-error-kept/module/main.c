// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "labels.h"

static struct subject subjects[8];

struct subject *subject_of(pid_t pid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (subjects[i].pid == pid)
			return &subjects[i];
		if (!subjects[i].pid) {
			subjects[i].pid = pid;
			return &subjects[i];
		}
	}
	return NULL;
}

static int set_label(const char *value, const struct kernel_param *parameter)
{
	char text[40];
	int pid;

	if (sscanf(value, "%d %39s", &pid, text) != 2)
		return -EINVAL;
	return subject_relabel(pid, text);
}
static int set_compare(const char *value, const struct kernel_param *parameter)
{
	int one, other, result;

	if (sscanf(value, "%d %d", &one, &other) != 2)
		return -EINVAL;
	result = subject_dominates(one, other);
	pr_info("labels: %d %s %d\n", one, result > 0 ? "dominates" : "is below", other);
	return min(result, 0);
}
static const struct kernel_param_ops label_ops = { .set = set_label };
static const struct kernel_param_ops compare_ops = { .set = set_compare };
module_param_cb(label, &label_ops, NULL, 0200);
module_param_cb(compare, &compare_ops, NULL, 0200);

static int __init labels_init(void) { return 0; }
static void __exit labels_exit(void) { }
module_init(labels_init);
module_exit(labels_exit);
MODULE_DESCRIPTION("Labels of subjects");
MODULE_LICENSE("GPL");

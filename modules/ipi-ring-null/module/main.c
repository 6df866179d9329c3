// SPDX-License-Identifier: GPL-2.0
/* A CPU's number, written to /dev/cpuprof, takes a sample of that CPU. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "cpuprof.h"

static unsigned int rings = 1;
module_param(rings, uint, 0444);

static struct cpuprof profiler;

static ssize_t cpuprof_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	unsigned int cpu;
	int result;

	result = kstrtouint_from_user(data, size, 10, &cpu);
	if (result)
		return result;
	result = cpuprof_sample_cpu(&profiler, cpu, ~0U);
	return result ? result : size;
}

static const struct file_operations cpuprof_fops = {
	.owner = THIS_MODULE,
	.write = cpuprof_write,
};

static struct miscdevice cpuprof_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cpuprof",
	.fops = &cpuprof_fops,
};

static int __init cpuprof_init(void)
{
	int result = cpuprof_rings_alloc(&profiler, rings);

	if (!result)
		result = misc_register(&cpuprof_device);
	if (result)
		cpuprof_rings_free(&profiler);
	return result;
}

static void __exit cpuprof_exit(void)
{
	misc_deregister(&cpuprof_device);
	cpuprof_rings_free(&profiler);
}

module_init(cpuprof_init);
module_exit(cpuprof_exit);
MODULE_DESCRIPTION("Samples what single CPUs run");
MODULE_LICENSE("GPL");

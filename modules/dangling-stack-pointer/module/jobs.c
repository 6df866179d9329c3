// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

struct job_ops {
	const char *name;
	int (*finish)(u32 id);
};
struct job {
	u32 id;
	u32 state;
	const struct job_ops *ops;
};
static struct job *current_job;

static int finish_plain(u32 id)
{
	pr_info("jobs: %u is done\n", id);
	return 0;
}
static const struct job_ops plain = { .name = "plain", .finish = finish_plain };

static noinline int job_begin(u32 id)
{
	struct job job = { .id = id, .state = 1, .ops = &plain };

	barrier_data(&job);
	current_job = &job;
	return 0;
}

static noinline int scribble(unsigned char with)
{
	unsigned char room[512];

	memset(room, with, sizeof(room));
	barrier_data(room);
	return room[5];
}

static noinline int job_finish(void)
{
	struct job *job = current_job;

	if (!job)
		return -ENOENT;
	return job->ops->finish(job->id); /* BUG: the job was a local variable of the one who began it */
}

static int set_job(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	int error = kstrtouint(value, 0, &id);

	if (error)
		return error;
	error = job_begin(id);
	if (!error && scribble(0x41) != 0x41)
		return -EIO;
	return error ? error : job_finish();
}
static const struct kernel_param_ops job_ops = { .set = set_job };
module_param_cb(job, &job_ops, NULL, 0200);
static int __init jobs_init(void) { return 0; }
static void __exit jobs_exit(void) { }
module_init(jobs_init);
module_exit(jobs_exit);
MODULE_DESCRIPTION("Jobs");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: MIT OR Apache-2.0
// Crashes whose root lies elsewhere in the module's code, compiled and run in user mode. Functions of the
// "module" are called mod_*, all others are the "kernel's"; some have the names and the arguments that the
// kernel's have. The line that has to be named carries a marker, "ROOT:", with the function that crashes.
#include "crash.h"

#define POISON 0x6b6b6b6b6b6b6b6bUL

struct object {
	unsigned long start;
	unsigned long size;
	unsigned long is_free;
} objects[8];

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct wait_queue_head {
	int lock;
	struct list_head head;
};

struct device {
	long number;
	struct list_head *all;
};

struct job {
	long state;
	int users;
	struct wait_queue_head wait;
	struct list_head link;
	struct device *device;
	long *cells;
};

struct cells {
	unsigned cursor;
	long *array;
};

struct owner {
	long state;
	struct hlist_node node;
};

struct part {
	long kind;
	struct device *device;
};

static volatile long sink;
struct list_head jobs = { &jobs, &jobs };
struct part all_parts[4];

/* The kernel's part. */
NOINLINE void *__kmalloc(unsigned long size, unsigned flags)
{
	static int used;
	unsigned long *words = calloc(1, 256);

	(void)flags;
	objects[used].start = (unsigned long)words;
	objects[used].size = size;
	objects[used++].is_free = 0;
	return words;
}

NOINLINE void kfree(const void *start)
{
	for (int i = 0; i < 8; i++)
		if (objects[i].start == (unsigned long)start) {
			memset((void *)start, 0x6b, objects[i].size);
			objects[i].is_free = 1;
		}
}

NOINLINE void __init_waitqueue_head(struct wait_queue_head *queue, const char *name, void *key)
{
	(void)name;
	(void)key;
	queue->lock = 0;
	queue->head.next = queue->head.prev = &queue->head;
}

NOINLINE int __list_add_valid(struct list_head *new, struct list_head *prev, struct list_head *next)
{
	return new != prev && new != next;
}

NOINLINE int __list_del_entry_valid(struct list_head *entry)
{
	return entry->next != NULL;
}

NOINLINE long __wake_up(struct wait_queue_head *queue)
{
	return (long)queue->head.next->next;
}

NOINLINE long device_number(struct device *device)
{
	return device->number;
}

NOINLINE void hlist_remove(struct hlist_node *node)
{
	struct hlist_node **pprev = node->pprev;

	*pprev = node->next;
}

static inline void list_add(struct list_head *new, struct list_head *head)
{
	struct list_head *next = head->next;

	if (!__list_add_valid(new, head, next))
		return;
	next->prev = new;
	new->next = next;
	new->prev = head;
	head->next = new;
}

/* The module's. */
NOINLINE struct job *mod_new(long state)
{
	struct job *job = __kmalloc(sizeof(*job), 1); /* ROOT: mod_wakes */

	job->state = state;
	job->users = 1;
	return job;
}

NOINLINE long mod_wakes(struct job *job)
{
	return __wake_up(&job->wait) + 1;
}

NOINLINE void mod_put_in(struct job *job)
{
	list_add(&job->link, &jobs); /* ROOT: mod_finds */
}

NOINLINE void mod_drop(struct job *job)
{
	kfree(job);
}

NOINLINE long mod_finds(struct job *job)
{
	return job->device->number + 1;
}

NOINLINE void mod_bind(struct job *job, struct device *device)
{
	job->device = device; /* ROOT: mod_asks */
}

NOINLINE void mod_unbind(struct job *job)
{
	job->device = NULL;
}

NOINLINE long mod_asks(struct job *job)
{
	return job->device->number + 2;
}

NOINLINE struct device *mod_new_device(void)
{
	struct device *device = __kmalloc(sizeof(void *), 1); /* ROOT: mod_lists */

	device->number = 7;
	return device;
}

NOINLINE long mod_lists(struct device *device)
{
	return (long)device->all->next + 3;
}

NOINLINE long mod_marks(long *mode)
{
	if (!mode) /* ROOT: mod_marks */
		*mode = 0400;
	return 1;
}

NOINLINE long mod_counts(struct job *job)
{
	if (!job->device) /* ROOT: mod_counts */
		return device_number(job->device) + 1;
	return 0;
}

NOINLINE long mod_sums(struct part *parts, int count)
{
	long sum = 0;

	for (int i = 0; i < count; i++)
		if (parts[i].kind == 3)
			sum += device_number(parts[i].device); /* ROOT: mod_sums */
	return sum;
}

NOINLINE long mod_steps(struct cells *cells)
{
	long *cell = cells->array + --cells->cursor; /* ROOT: mod_steps */

	*cell = 1;
	return cells->cursor;
}

NOINLINE long mod_reads(struct device *it)
{
	return it->number + 4;
}

NOINLINE long mod_hands(struct job *job)
{
	return mod_reads(job->device) + job->users; /* ROOT: mod_reads */
}

NOINLINE long mod_leaves(struct owner *owner)
{
	hlist_remove(&owner->node); /* ROOT: mod_leaves */
	return owner->state;
}

int main(int argc, char **argv)
{
	const char *victim = argc > 1 ? argv[1] : "";
	struct job *job = mod_new(3);
	struct device *device = mod_new_device();

	catch_faults();
	mod_put_in(job);
	TRY(mod_wakes, mod_wakes(job));
	if (strcmp(victim, "mod_finds") == 0)
		mod_drop(job);
	TRY(mod_finds, mod_finds(job));
	mod_bind(job, device);
	mod_unbind(job);
	TRY(mod_asks, mod_asks(job));
	TRY(mod_marks, mod_marks(NULL));
	TRY(mod_counts, mod_counts(job));
	all_parts[1].kind = all_parts[2].kind = 3;
	all_parts[1].device = device;
	TRY(mod_sums, mod_sums(all_parts, 4));
	TRY(mod_reads, mod_hands(job));
	struct owner *owner = __kmalloc(sizeof(*owner), 1);
	TRY(mod_leaves, mod_leaves(owner));
	struct cells cells = { .array = __kmalloc(4 * sizeof(long), 1) };
	TRY(mod_steps, mod_steps(&cells));
	device->all = (void *)0x5a5a5a5a5a5a5a5aUL;
	TRY(mod_lists, mod_lists(device));
	return 1;
}

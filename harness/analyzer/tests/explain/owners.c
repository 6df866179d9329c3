// SPDX-License-Identifier: MIT OR Apache-2.0
// Crashes by pointers of which it is not plain whose memory they lead to, compiled and run in user mode. As in
// judged.c, functions of the "module" are called mod_*, and the line to blame carries a marker, "BUG:".
#include "crash.h"
#include "memory.h"

#include <asm/prctl.h>
#include <sys/syscall.h>

/* Pointers to something else than they are used for. */
struct table spare;
struct {
	long before;
	struct job job;
} around;
struct job *taken = (struct job *)&spare;
struct job *inside = &around.job;
struct job *marked;

NOINLINE long mod_taken_for_a_job(void)
{
	return taken->payload->length; /* BUG: taken->payload */
}

NOINLINE long mod_inside_of_another(void)
{
	return inside->payload->length; /* BUG: inside->payload */
}

NOINLINE long mod_marked_pointer(void)
{
	return marked->payload->length; /* BUG: marked->payload */
}

/* Of two values that were added, the types may tell the pointer. */
struct ring {
	unsigned int size;
	unsigned int head;
	unsigned char data[];
};

NOINLINE long mod_ring_behind_its_end(struct ring *ring, unsigned long at)
{
	return ring->data[at]; /* BUG: at */
}

NOINLINE long mod_ring_that_is_gone(struct ring *ring, unsigned int at)
{
	return ring->data[at]; /* BUG: ring */
}

NOINLINE long mod_sum_of_numbers(unsigned long start, unsigned long at)
{
	return *(char *)(start + at); /* BUG: - */
}

/* The memory of a CPU begins with where it is. */
struct own_cpu {
	struct own_cpu *own;
	struct payload *others;
	long rest[4];
} own_cpu;

struct own_cpu *counters;

NOINLINE long mod_no_counters(void)
{
	struct own_cpu *own = counters;

	asm("add %%gs:0, %0" : "+r"(own));
	return own->others->length; /* BUG: counters */
}

/* What others may have had before: the kernel noted that the module allocated the object, as the first one there, or
 * it neither fills nor clears that. */
NOINLINE long mod_noted(struct job *job)
{
	job->state = 1;
	return job->payload->length; /* BUG: job->payload */
}

NOINLINE long mod_left_mark(struct job *job)
{
	return (long)job->link.next->prev; /* BUG: job->link.next */
}

NOINLINE long mod_left_mark_in_cleared(struct job *job)
{
	return (long)job->link.next->prev; /* BUG: job->link.next */
}

/* Behind the end of what is in use is what is free. */
struct slot {
	struct payload *payload;
	long length;
} *cursor;

NOINLINE long mod_next_slot(void)
{
	struct slot *slot = cursor++;

	return slot->payload->length; /* BUG: - */
}

/* A function that clears what it was called through, and goes on with a jump. */
struct hook {
	long (*once)(struct hook *hook);
	long (*next)(struct hook *hook);
};

NOINLINE long mod_finish(struct hook *hook)
{
	hook->once = NULL;
	return hook->next(hook);
}

NOINLINE long mod_runs(struct hook *hook)
{
	return hook->once(hook) + 1; /* BUG: hook->once */
}

int main(int count, char **arguments)
{
	const char *victim = count > 1 ? arguments[1] : "";
	struct job *job = allocate(sizeof(*job));

	catch_faults();
	if (strcmp(victim, "mod_noted") == 0)
		mark(job, IS_NOTED);
	TRY(mod_noted, mod_noted(job));
	if (strcmp(victim, "mod_next_slot") == 0) {
		struct slot *slots = allocate(16 * sizeof(*slots));

		memset(slots, 0, 16 * sizeof(*slots));
		for (int i = 0; i < 7; i++)
			if (objects[i].start == (unsigned long)slots)
				objects[i].size = 8 * sizeof(*slots);
		objects[7].start = (unsigned long)(slots + 8);
		objects[7].size = 8 * sizeof(*slots);
		objects[7].is_free = IS_FREE;
		cursor = slots + 8;
	}
	TRY(mod_next_slot, mod_next_slot());
	if (strncmp(victim, "mod_left_mark", 13) == 0)
		job->link.next = (void *)0xdead000000000100UL;
	TRY(mod_left_mark_in_cleared, mod_left_mark_in_cleared(job));
	if (strcmp(victim, "mod_left_mark") == 0)
		mark(job, IS_BARE);
	TRY(mod_left_mark, mod_left_mark(job));
	TRY(mod_taken_for_a_job, mod_taken_for_a_job());
	TRY(mod_inside_of_another, mod_inside_of_another());
	marked = (void *)((char *)calloc(1, sizeof(*marked)) + 1);
	TRY(mod_marked_pointer, mod_marked_pointer());
	struct ring *ring = allocate(64);
	TRY(mod_ring_behind_its_end, mod_ring_behind_its_end(ring, 1L << 40));
	TRY(mod_ring_that_is_gone, mod_ring_that_is_gone((struct ring *)0x7e0000001000, 50000));
	TRY(mod_sum_of_numbers, mod_sum_of_numbers(0x7e0000001000, 50000));
	own_cpu.own = &own_cpu;
	own_cpu.others = (struct payload *)0x5870d2be16159200;
	syscall(SYS_arch_prctl, ARCH_SET_GS, &own_cpu);
	TRY(mod_no_counters, mod_no_counters());
	struct hook hook = { .once = mod_finish };
	TRY(mod_runs, mod_runs(&hook));
	return 1;
}

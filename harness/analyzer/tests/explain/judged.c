// SPDX-License-Identifier: MIT OR Apache-2.0
// Crashes for the rules of proof, compiled and run in user mode. Functions of the "module" are called
// mod_*, all others are the "kernel's"; memory.h has its heap. The line to blame carries a marker, "BUG:",
// with the expression that is bad.
#include <stddef.h>

#include "crash.h"
#include "memory.h"

#define ERROR(number) ((void *)-(long)(number))

struct large {
	char rest[0x152b0];
	long tail;
};

struct job *waiting;
struct job *broken = (void *)POISON;
struct link heads = { 0 };

NOINLINE long quiet(long value)
{
	sink += value;
	return sink;
}

/* The object was whole pages: no cache tells of it any more. */
NOINLINE void release_pages(void *start)
{
	mark(start, PAGES_ARE_FREE);
}

/* The dump is made without the object. */
NOINLINE void leave_out(void *start)
{
	mark(start, IS_LEFT_OUT);
}

/* Slots in memory of twice their size; what is behind them is empty. */
NOINLINE struct job **allocate_slots(unsigned long count)
{
	struct job **slots = allocate(count * 2 * sizeof(*slots));

	for (int i = 0; i < 8; i++)
		if (objects[i].start == (unsigned long)slots)
			objects[i].size = count * sizeof(*slots);
	for (unsigned long i = 0; i < count * 2; i++)
		slots[i] = NULL;
	return slots;
}

/* Functions that went on with a jump. */
NOINLINE long length_of(const char *text)
{
	long length = 0;

	while (text[length])
		length++;
	return length;
}

NOINLINE long mod_name_length(struct payload *payload)
{
	quiet(1);
	return length_of((const char *)payload->first); /* BUG: payload->first */
}

NOINLINE long mod_jumps(struct payload *payload)
{
	return mod_name_length(payload) + 1;
}

NOINLINE long mod_either_length(struct payload *payload, long which)
{
	if (quiet(which) > 100)
		return length_of((const char *)payload->first + 1); /* another line */
	return length_of((const char *)payload->first); /* BUG: - */
}

NOINLINE long mod_jumps_from_one_of_two(struct payload *payload)
{
	return mod_either_length(payload, 1) + 1;
}

NOINLINE long mod_other_length(struct payload *payload)
{
	quiet(2);
	return length_of((const char *)payload->first); /* the line that it was */
}

NOINLINE long mod_some_length(struct payload *payload, long which)
{
	if (quiet(which) > 100)
		return length_of((const char *)payload->length); /* BUG: - */
	return mod_other_length(payload);
}

NOINLINE long mod_jumps_by_two_functions(struct payload *payload)
{
	return mod_some_length(payload, 1) + 1;
}

/* A fault in the kernel that no value of the module led to. */
NOINLINE long next_of_waiting(long ignored)
{
	return waiting->payload->length + ignored;
}

NOINLINE long mod_asks(long value)
{
	return next_of_waiting(value) + 1; /* BUG: waiting */
}

/* What was freed when. */
NOINLINE long mod_read_after_release(struct job *job)
{
	release(job);
	sink = job->payload->length; /* BUG: job->payload */
	return job->state;
}

NOINLINE long mod_read_before_release(struct job *job)
{
	struct payload *payload = job->payload;

	release(job);
	sink = payload->length; /* BUG: job->payload */
	return job->state;
}

NOINLINE long mod_read_before_something(struct job *job)
{
	struct payload *payload = job->payload;

	quiet(job->state);
	sink = payload->length; /* BUG: job->payload */
	return job->state;
}

NOINLINE long mod_read_after_its_pages_went(struct job *job)
{
	release_pages(job);
	sink = job->payload->length; /* BUG: job->payload */
	return job->state;
}

NOINLINE long mod_read_before_its_pages_went(struct job *job)
{
	struct payload *payload = job->payload;

	release_pages(job);
	return payload->length; /* BUG: job->payload */
}

NOINLINE long mod_left_out(struct job *job)
{
	leave_out(job);
	sink = job->payload->length; /* BUG: job->payload */
	return job->state;
}

NOINLINE long mod_never_written(struct job *job)
{
	job->state = 1;
	return job->payload->length; /* BUG: job->payload */
}

NOINLINE long mod_own_filling(struct job *job)
{
	memset(job, 0xaa, sizeof(*job));
	__asm__ volatile("" : : : "memory");
	return job->payload->length; /* BUG: job->payload */
}

NOINLINE long mod_poison_from_elsewhere(void)
{
	return broken->payload != NULL; /* BUG: broken */
}

/* Numbers and pointers. */
NOINLINE long mod_cell(struct table *table, long index)
{
	return table->cells[index]; /* BUG: index */
}

NOINLINE long mod_slot(struct job **slots, long number)
{
	quiet(number);
	return slots[number]->state; /* BUG: slots[number] */
}

/* The compiler adds the numbers to the pointer before the loop. */
NOINLINE long mod_slot_of_group(struct job **slots, long group, long first, long count)
{
	long sum = 0;

	for (long i = first; i < first + count; i++)
		sum += slots[group + i - first]->state; /* BUG: - */
	return sum;
}

/* What was told by its distance from what is gone. */
NOINLINE long mod_moved(struct job ***cursor, char *from, char *to)
{
	struct job **slot = (struct job **)((char *)*cursor + (to - from));

	quiet(1);
	return (*slot)->state; /* BUG: - */
}

NOINLINE long mod_slot_by_a_freed_number(struct job **slots, struct job *job)
{
	release(job);
	return slots[job->state & 0xfff]->state; /* BUG: job->state */
}


struct grid {
	struct job *cells[4][4];
};

NOINLINE long mod_grid(struct grid *grid, long row, long column)
{
	quiet(row);
	return grid->cells[row][column]->state; /* BUG: - */
}

struct hub {
	long jobs_done;
	struct link jobs;
	long room[4];
};

/* The link of a job is 16 bytes in: the job of an empty list begins before the hub's. */
NOINLINE long mod_first_job(struct hub *hub)
{
	struct job *job = (struct job *)((char *)hub->jobs.next - offsetof(struct job, link));

	sink = job->payload->length; /* BUG: - */
	return hub->jobs_done;
}

NOINLINE long mod_last_slot(struct job **slots)
{
	quiet(1);
	sink = slots[1500]->state; /* BUG: - */
	return (long)slots[0];
}

NOINLINE long mod_empty_slot(struct job **slots, long number)
{
	quiet(number);
	return slots[number]->state; /* BUG: slots[number] */
}

NOINLINE void mod_mark(struct table *table, long bit)
{
	__asm__ volatile("btsq %1, %0" : : "m"(*table->cells), "r"(bit) : "memory"); /* BUG: bit */
}

NOINLINE long mod_tail(struct large *large)
{
	return large->tail; /* BUG: large */
}

NOINLINE long mod_first_state(struct link *head)
{
	struct job *job = (struct job *)((char *)head->next - __builtin_offsetof(struct job, link));

	return job->state; /* BUG: head->next */
}

NOINLINE long mod_error_in_memory(struct table *table)
{
	return table->jobs[1]->state; /* BUG: table->jobs[1] */
}

NOINLINE long mod_small_in_memory(struct table *table)
{
	return table->jobs[0]->state; /* BUG: table->jobs[0] */
}

NOINLINE long mod_small_argument(struct job *job)
{
	return job->state; /* BUG: job */
}

NOINLINE long page_of(const char *start)
{
	const long *pages = (const long *)0x1000000;

	return pages[((unsigned long)start ^ 0x5555) >> 12];
}

NOINLINE long mod_gives_an_error(struct table *table)
{
	return page_of((const char *)table->jobs[2]) + 1; /* BUG: table->jobs[2] */
}

/* A local variable that others set. */
NOINLINE void fill_in(struct payload **place)
{
	*place = (struct payload *)0x10;
}

NOINLINE long mod_set_by_others(void)
{
	struct payload *payload = NULL;

	fill_in(&payload);
	return payload->length; /* BUG: payload */
}

NOINLINE long mod_argument_replaced_by_others(struct payload *payload)
{
	struct payload *current = payload;

	fill_in(&current);
	return current->length; /* BUG: current */
}

/* An array on the stack, one element of which is set by its number. */
NOINLINE long mod_element_set_by_its_number(struct payload *a, struct payload *b, long number)
{
	struct payload *all[4] = { a, b, a, b };

	all[number & 3] = NULL;
	quiet(1);
	return all[1]->length; /* BUG: all[1] */
}

NOINLINE struct payload *somewhere(long number)
{
	quiet(number);
	return (struct payload *)0x30;
}

NOINLINE long mod_only_set_by_its_number(long number)
{
	struct payload *all[8];

	all[number & 7] = somewhere(number);
	quiet(1);
	return all[3]->length; /* BUG: all[3] */
}

/* A structure that takes two registers. */
struct pair {
	long one;
	long other;
};

NOINLINE long mod_after_a_structure(struct pair pair, struct job *one, struct job *other)
{
	return pair.one + one->state + other->state; /* BUG: one */
}

/* Text where a pointer should be. */
NOINLINE long mod_text(struct job *job)
{
	memcpy(job, "some/long/name", 15);
	__asm__ volatile("" : : : "memory");
	return job->payload->length; /* BUG: job->payload */
}

/* A callback of another signature. */
struct hooks {
	long (*called)(long state, struct job *job);
} hooks;

NOINLINE long mod_callback(struct job *job, long state)
{
	return job->state + state; /* BUG: job */
}

NOINLINE long calls_back(struct job *job)
{
	return hooks.called(0, job) + 1;
}

/* Pointers into the middle of an object, and numbers past the end of an array. */
struct outer {
	long first;
	struct link near;
	struct payload *payload;
	char rest[64];
	struct link far;
};

NOINLINE long mod_wrong_member(struct link *link)
{
	struct outer *outer = (void *)((char *)link - __builtin_offsetof(struct outer, near));

	return outer->payload->length; /* BUG: outer */
}

struct commands {
	long state;
	struct payload *known[3];
	struct payload *others[4];
} commands;

NOINLINE long mod_past_the_end(unsigned long command)
{
	return commands.known[command]->length; /* BUG: commands.known[command] */
}

/* Names that the compiler has left nowhere by the time of the fault. */
NOINLINE long mod_named_by_its_declaration(void **private_data)
{
	struct job *job = *private_data;

	return job->payload->length; /* BUG: job->payload */
}

NOINLINE long mod_reads_on_where_it_declares(void *volatile *private_data)
{
	struct job *job = (void *)((struct table *)*private_data)->jobs[3]->state; /* BUG: - */

	quiet((long)private_data);
	return job->state;
}

NOINLINE long length_behind(struct payload **place)
{
	return (*place)->length;
}

NOINLINE long mod_passes_a_member(void *context)
{
	struct job *job = context;

	return length_behind(&job->payload) + 1; /* BUG: job->payload */
}

/* A list's head is not around its entries. */
struct owner {
	long count;
	struct link entries;
	long rest[4];
};

NOINLINE long mod_first_entry(struct owner *owner)
{
	return *((long **)owner->entries.next)[3]; /* BUG: - */
}

/* Loops: what the round before read is what is bad. */
NOINLINE long mod_walks(struct job *job)
{
	while (1) {
		sink = job->state; /* BUG: job->link.next */
		job = (struct job *)((char *)job->link.next - __builtin_offsetof(struct job, link));
	}
	return 0;
}

/* The allocator's own list. */
NOINLINE unsigned long get_freepointer(unsigned long *object)
{
	return *object;
}

unsigned long *free_objects = (unsigned long *)0x1234567800000000;

NOINLINE unsigned long take_object(void)
{
	return get_freepointer(free_objects) + 1;
}

NOINLINE long mod_allocates(void)
{
	return take_object() + 1; /* BUG: - */
}

/* Numbers that are error codes, and something else as well. */
NOINLINE long mod_around_null(struct table *table)
{
	return table->jobs[0]->state; /* BUG: table->jobs[0] */
}

NOINLINE long mod_marked(struct table *table)
{
	return table->jobs[1]->state; /* BUG: table->jobs[1] */
}

/* An array that is longer than it is declared. */
struct tail {
	long count;
	struct job *jobs[2];
};

NOINLINE long mod_longer(struct tail *tail, long number)
{
	return tail->jobs[number]->state; /* BUG: tail->jobs[number] */
}

NOINLINE long mod_beyond_the_longest(struct tail *tail, long number)
{
	return tail->jobs[number]->state; /* BUG: tail->jobs[number] */
}

struct outer *kept;

NOINLINE long mod_kept(void)
{
	return kept->payload->length; /* BUG: kept */
}

/* A table by a member of some bits, in a byte with others. */
struct request {
	unsigned kind : 3, length : 13;
};

struct job *by_kind[8];

NOINLINE long mod_kind(struct request *request)
{
	return by_kind[request->kind]->state; /* BUG: by_kind[request->kind] */
}

int main(int count, char **arguments)
{
	const char *victim = count > 1 ? arguments[1] : "";
	struct payload *empty = calloc(1, sizeof(*empty));
	struct job *job = allocate(sizeof(*job));
	struct table *table = calloc(1, sizeof(*table));

	catch_faults();
	table->cells = allocate(8 * sizeof(long));
	table->jobs[0] = (void *)3;
	table->jobs[1] = ERROR(12);
	table->jobs[2] = ERROR(22);
	TRY(mod_jumps, mod_jumps(empty));
	TRY(mod_jumps_from_one_of_two, mod_jumps_from_one_of_two(empty));
	TRY(mod_jumps_by_two_functions, mod_jumps_by_two_functions(empty));
	TRY(mod_asks, mod_asks(4));
	TRY(mod_never_written, mod_never_written(job));
	TRY(mod_poison_from_elsewhere, mod_poison_from_elsewhere());
	TRY(mod_own_filling, mod_own_filling(job));
	TRY(mod_text, mod_text(job));
	job->payload = NULL;
	TRY(mod_read_after_release, mod_read_after_release(job));
	TRY(mod_read_before_release, mod_read_before_release(job));
	TRY(mod_left_out, mod_left_out(job));
	TRY(mod_read_after_its_pages_went, mod_read_after_its_pages_went(job));
	TRY(mod_read_before_its_pages_went, mod_read_before_its_pages_went(job));
	if (strcmp(victim, "mod_read_before_something") == 0)
		release(job);
	TRY(mod_read_before_something, mod_read_before_something(job));
	TRY(mod_cell, mod_cell(table, 1L << 40));
	TRY(mod_slot, mod_slot(allocate_slots(1024), 1500));
	TRY(mod_slot_of_group, mod_slot_of_group(allocate_slots(1024), 1000, 400, 1));
	if (strcmp(victim, "mod_moved") == 0) {
		struct job **from = allocate_slots(1024), **to = allocate_slots(1024), **at = from + 8;

		TRY(mod_moved, mod_moved(&at, (char *)from, (char *)to));
	}
	job->state = 1500;
	TRY(mod_slot_by_a_freed_number, mod_slot_by_a_freed_number(allocate_slots(1024), job));
	TRY(mod_grid, mod_grid((struct grid *)allocate_slots(16), 2, 1));
	if (strcmp(victim, "mod_first_job") == 0) {
		static struct {
			long before[4];
			struct hub hub;
		} place;

		place.hub.jobs.next = place.hub.jobs.prev = &place.hub.jobs;
		TRY(mod_first_job, mod_first_job(&place.hub));
	}
	TRY(mod_last_slot, mod_last_slot(allocate_slots(1024)));
	TRY(mod_empty_slot, mod_empty_slot(allocate_slots(1024), 1000));
	TRY(mod_mark, (mod_mark(table, 1L << 43), 0));
	TRY(mod_tail, mod_tail(NULL));
	TRY(mod_first_state, mod_first_state(&heads));
	TRY(mod_error_in_memory, mod_error_in_memory(table));
	TRY(mod_small_in_memory, mod_small_in_memory(table));
	TRY(mod_small_argument, mod_small_argument(ERROR(16)));
	TRY(mod_gives_an_error, mod_gives_an_error(table));
	TRY(mod_set_by_others, mod_set_by_others());
	TRY(mod_argument_replaced_by_others, mod_argument_replaced_by_others(empty));
	TRY(mod_element_set_by_its_number, mod_element_set_by_its_number(empty, empty, 1));
	TRY(mod_only_set_by_its_number, mod_only_set_by_its_number(3));
	TRY(mod_after_a_structure, mod_after_a_structure((struct pair){ 1, 2 }, NULL, job));
	hooks.called = (long (*)(long, struct job *))mod_callback;
	TRY(mod_callback, calls_back(job));
	TRY(mod_allocates, mod_allocates());
	struct outer *outer = allocate(sizeof(*outer) + 16);
	memset(outer, 0, sizeof(*outer) + 16);
	TRY(mod_wrong_member, mod_wrong_member(&outer->far));
	TRY(mod_past_the_end, mod_past_the_end(5));
	job->payload = NULL;
	void *private_data = job;
	TRY(mod_named_by_its_declaration, mod_named_by_its_declaration(&private_data));
	private_data = table;
	TRY(mod_reads_on_where_it_declares, mod_reads_on_where_it_declares(&private_data));
	TRY(mod_passes_a_member, mod_passes_a_member(job));
	struct owner *owner = calloc(1, sizeof(*owner));
	owner->entries.next = calloc(1, 64);
	TRY(mod_first_entry, mod_first_entry(owner));
	struct job *second = allocate(sizeof(*second));
	job->link.next = &second->link;
	second->link.next = NULL;
	TRY(mod_walks, mod_walks(job));
	table->jobs[0] = ERROR(16);
	table->jobs[1] = ERROR(1);
	TRY(mod_around_null, mod_around_null(table));
	TRY(mod_marked, mod_marked(table));
	struct tail *tail = (void *)allocate_slots(4);
	memset(tail, 0, 8 * sizeof(long));
	TRY(mod_longer, mod_longer(tail, 2));
	TRY(mod_beyond_the_longest, mod_beyond_the_longest(tail, 40));
	kept = (void *)((char *)outer + __builtin_offsetof(struct outer, far));
	TRY(mod_kept, mod_kept());
	struct request *request = allocate(sizeof(*request));
	request->kind = 6;
	request->length = 3;
	TRY(mod_kind, mod_kind(request));
	return 1;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
// Functions that crash, compiled and run in user mode: registers and memory of a real fault in
// milliseconds, without a kernel. The test reads what the handler writes and has it explained.
// The line at fault carries a marker, "BUG:", with the expression that is bad.
#include "crash.h"

struct device;

struct operations {
	int (*open)(struct device *device);
	int (*start)(struct device *device, int how);
	int (*stop)(struct device *device);
};

struct queue {
	long reserved[3];
	struct queue *next;
	int length;
};

struct port {
	int number;
	struct queue *queue;
};

struct device {
	char name[24];
	const struct operations *operations;
	struct queue *queue;
	struct queue *spare;
	unsigned long tagged;
	struct {
		long padding;
		struct port ports[4];
	} board;
};

struct registry {
	long magic;
	struct operations hooks;
};

struct device *the_device;
struct registry registry = { .magic = 7 };
static volatile int sink;

NOINLINE int helper(int value)
{
	sink += value;
	return sink;
}

NOINLINE struct device *lookup(int number)
{
	sink += number;
	return NULL;
}

NOINLINE int open_device(struct device *device)
{
	sink++;
	return device->name[0];
}

NOINLINE int member_of_global(void)
{
	helper(1);
	return the_device->operations->stop(the_device) + 1; /* BUG: the_device->operations->stop */
}

NOINLINE int member_of_global_structure(struct device *device)
{
	return registry.hooks.open(device) + 1; /* BUG: registry.hooks.open */
}

static inline int start(struct device *device, int how)
{
	return device->operations->start(device, how) + 1; /* BUG: device->operations->start */
}

NOINLINE int member_of_parameter(int first, struct device *device)
{
	helper(first);
	sink += device->name[1];
	return start(device, first);
}

NOINLINE int function_pointer(int value, int (*callback)(int))
{
	return callback(value) + 1; /* BUG: callback */
}

NOINLINE int read_behind_member(struct device *device)
{
	helper(3);
	sink = device->queue->length; /* BUG: device->queue */
	return helper(device->name[2]);
}

/* Nobody needs the parameter after the load, so its register may be given back before the fault. */
NOINLINE int parameter_given_up(struct device *device)
{
	helper(3);
	return device->queue->length; /* BUG: device->queue */
}

NOINLINE int read_deep(struct device *device)
{
	return device->queue->next->next->length; /* BUG: device->queue->next->next */
}

NOINLINE void write_behind_array(struct device *device, long index)
{
	helper(4);
	device->board.ports[index].queue->length = 5; /* BUG: device->board.ports[index].queue */
	helper(device->name[index]);
}

NOINLINE int result_of_call(int number)
{
	return lookup(number)->board.ports[2].number; /* BUG: lookup() */
}

NOINLINE int parameter_itself(struct device *device)
{
	return device->queue->length; /* BUG: device */
}

NOINLINE long in_a_loop(struct queue *queue)
{
	long sum = 0;

	for (int i = 0; i < 5; i++) {
		sum += helper(queue->length);
		queue = queue->next;
	}
	return sum;
}

NOINLINE int many_arguments(int a, int b, int c, int d, int e, int f, struct device *seventh)
{
	helper(a + b + c + d + e + f);
	return seventh->queue->length; /* BUG: seventh->queue */
}

NOINLINE int on_the_stack(struct device *device)
{
	struct device *copies[2] = { device, device };

	/* Every register is used up, so that the pointer has to be kept on the stack. */
	__asm__ volatile("" : : : "rbx", "rbp", "r12", "r13", "r14", "r15");
	helper(copies[0]->name[0]);
	return device->queue->length; /* BUG: device->queue */
}

/* Two ways lead to the access, and only one of them with NULL. */
NOINLINE int one_of_two(struct device *device, int how)
{
	struct queue *queue = device->queue;

	if (helper(how) > 3)
		queue = device->spare;
	helper(4);
	sink = queue->length; /* BUG: device->queue */
	return helper(device->name[0]);
}

NOINLINE long walked_to_its_end(struct device *device, int wanted)
{
	struct queue *queue = device->spare;

	while (queue->length != wanted) /* BUG: queue->next */
		queue = queue->next;
	return helper(device->name[0]);
}

NOINLINE int pointer_with_flags(struct device *device)
{
	struct queue *queue = (struct queue *)(device->tagged & ~7UL);

	helper(1);
	sink = queue->length; /* BUG: device->tagged & ~7 */
	return helper(device->name[0]);
}

NOINLINE int divided(struct device *device, int total)
{
	helper(total);
	sink = total / device->spare->length; /* BUG: device->spare->length */
	return helper(device->name[0]);
}

NOINLINE int checked(struct device *device)
{
	helper(2);
	if (device->spare->length < 4)
		__builtin_trap(); /* BUG: device->spare->length */
	return device->name[0];
}

NOINLINE void fill_the_stack(void)
{
	volatile unsigned long words[64];

	for (int i = 0; i < 64; i++)
		words[i] = 0x1000000000;
}

NOINLINE int never_set(struct device *device)
{
	volatile struct {
		struct queue *first;
		struct queue *second;
	} pair;

	pair.first = device->spare;
	return pair.second->length + pair.first->length; /* BUG: pair.second */
}

int main(int count, char **arguments)
{
	static const struct operations operations = { .open = open_device };
	struct queue *queue = calloc(1, sizeof(*queue));
	struct device *device = calloc(1, sizeof(*device));
	const char *victim = count > 1 ? arguments[1] : "";

	catch_faults();
	the_device = device;
	device->operations = &operations;
	queue->next = calloc(1, sizeof(*queue));
	TRY(member_of_global, member_of_global());
	TRY(member_of_global_structure, member_of_global_structure(device));
	TRY(member_of_parameter, member_of_parameter(2, device));
	TRY(function_pointer, function_pointer(2, NULL));
	TRY(read_behind_member, read_behind_member(device));
	TRY(parameter_given_up, parameter_given_up(device));
	TRY(write_behind_array, (write_behind_array(device, 3), 0));
	TRY(result_of_call, result_of_call(9));
	TRY(parameter_itself, parameter_itself(NULL));
	TRY(in_a_loop, (int)in_a_loop(queue));
	TRY(many_arguments, many_arguments(1, 2, 3, 4, 5, 6, device));
	TRY(on_the_stack, on_the_stack(device));
	device->spare = queue;
	device->tagged = 5;
	TRY(one_of_two, one_of_two(device, -9));
	TRY(walked_to_its_end, (int)walked_to_its_end(device, 7));
	TRY(pointer_with_flags, pointer_with_flags(device));
	TRY(divided, divided(device, 12));
	TRY(checked, checked(device));
	fill_the_stack();
	TRY(never_set, never_set(device));
	device->queue = queue;
	TRY(read_deep, read_deep(device));
	return 1;
}

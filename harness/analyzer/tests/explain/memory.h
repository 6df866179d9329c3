// SPDX-License-Identifier: MIT OR Apache-2.0
// Structures of programs that crash, and the heap of their "kernel": it keeps a table of objects, which the test
// takes for the slab allocator's.
#define POISON 0x6b6b6b6b6b6b6b6bUL

struct object {
	unsigned long start;
	unsigned long size;
	unsigned long is_free;
} objects[8];

struct link {
	struct link *next;
	struct link *prev;
};

struct payload {
	long first;
	long length;
};

struct job {
	struct payload *payload;
	long state;
	struct link link;
	char name[16];
};

struct table {
	long *cells;
	struct job *jobs[4];
};

static volatile long sink;

/* What the last word of an object in the table says. */
enum { IN_USE, IS_FREE, PAGES_ARE_FREE, IS_LEFT_OUT, IS_NOTED, IS_BARE };

static inline __attribute__((always_inline)) void mark(void *start, unsigned long as)
{
	for (int i = 0; i < 8; i++)
		if (objects[i].start == (unsigned long)start)
			objects[i].is_free = as;
}

NOINLINE void release(void *start)
{
	mark(start, IS_FREE);
}

NOINLINE void *allocate(unsigned long size)
{
	static int used;
	unsigned long *words = malloc(size);

	for (unsigned long i = 0; i < size / 8; i++)
		words[i] = POISON;
	objects[used].start = (unsigned long)words;
	objects[used].size = size;
	objects[used++].is_free = 0;
	return words;
}

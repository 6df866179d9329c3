// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Variables of every kind that values are printed from. Run, the program says itself what its
 * expressions are worth, one `expression|value` a line; tests/values/gdb.txt holds what gdb printed.
 */
#include <stdio.h>

typedef unsigned char u8;
typedef unsigned long u64;

enum colour { RED, GREEN = 5, BLUE = -1 };
enum flags { F_READ = 1, F_WRITE = 2, F_EXEC = 4 };

struct list { struct list *next, *prev; };
struct inner { int a; char tag[8]; };

struct bits {
	unsigned low : 3;
	int sign : 4;
	unsigned long wide : 40;
	_Bool flag : 1;
};

struct everything {
	int number;
	unsigned long big;
	signed char small;
	char letter;
	_Bool yes;
	enum colour colour;
	enum flags mode;
	char name[16];
	char full[4];
	u8 hash[4];
	int zeros[20];
	int mixed[4];
	int grid[2][3];
	struct inner inner;
	struct inner pair[2];
	union {
		int as_int;
		u8 as_bytes[4];
	};
	struct {
		short x, y;
	};
	struct bits bits;
	const char *text;
	struct inner *other;
	struct list link;
};

typedef struct {
	int (*init)(void);
	void (*put)(int);
	int (*get)(void);
	const char *name;
} table_t;

/* Only declared here; a module defines it. */
struct secret;

int schedule(void) { return 0; }
static int begin(void) { return 1; }
static void store(int value) { (void)value; }

struct inner elsewhere = { 7, "seven" };
table_t table = { begin, store, 0, "table" };
table_t empty_table;
table_t *operations = &table;
struct everything everything = {
	.number = -5, .big = 0xffffffffffffffff, .small = -3, .letter = 'A', .yes = 1,
	.colour = GREEN, .mode = F_READ | F_EXEC, .name = "swapper/0", .full = "full",
	.hash = { 1, 2, 200, 255 }, .mixed = { 1, 2, 2, -3 }, .grid = { { 1, 2, 3 }, { 4, 5, 6 } },
	.inner = { 1, "one" }, .pair = { { 2, "two" }, { 3, "th\nree" } }, .as_int = 0x04030201,
	.x = 1, .y = -2, .bits = { 5, -3, 0xabcdef0123, 1 }, .text = "a \"quoted\" text",
	.other = &elsewhere, .link = { &everything.link, &everything.link },
};
struct list first, second, third;
struct list first = { &second, &third }, second = { &third, &first }, third = { &first, &second };
int numbers[8] = { 10, 11, 12, 13, 14, 15, 16, 17 };
int *middle = &numbers[3];
u64 mask = 0xf0f0;
int minus = -7;
u8 byte = 250;
struct secret *opaque;
int counter __attribute__((section(".data..percpu"))) = 5;
int copies[2] = { 11, 22 };

#define SHOW(expression) printf("%s|%lld\n", #expression, (long long)(expression))

int main(void)
{
	store(schedule());
	SHOW(everything.number);
	SHOW((&everything)->inner.a);
	SHOW(everything.other->a);
	SHOW(everything.as_bytes[2]);
	SHOW(everything.x + everything.y);
	SHOW(everything.bits.low);
	SHOW(everything.bits.sign);
	SHOW(everything.bits.wide);
	SHOW(everything.bits.flag);
	SHOW(everything.grid[1][2]);
	SHOW(*everything.grid[1]);
	SHOW(everything.pair[1].a * 10 + 1);
	SHOW(everything.colour == GREEN);
	SHOW(everything.letter);
	SHOW(everything.small);
	SHOW(BLUE);
	SHOW(F_WRITE | F_EXEC);
	SHOW(numbers[2] + 3 * 4 - 6 / 4 % 5);
	SHOW(*(numbers + 5));
	SHOW(middle[-1]);
	SHOW(middle - numbers);
	SHOW(&numbers[6] - &numbers[1]);
	SHOW(mask >> 4 & 0xff);
	SHOW(mask << 3 | 1);
	SHOW(mask ^ ~0x0f);
	SHOW(minus >> 1);
	SHOW(minus / 2);
	SHOW(minus % 3);
	SHOW(-minus);
	SHOW(!minus);
	SHOW(!opaque);
	SHOW(byte + 10);
	SHOW((u8)(byte + 10));
	SHOW((signed char)byte);
	SHOW(~byte);
	SHOW((unsigned int)minus);
	SHOW((unsigned long)minus > 1);
	SHOW(minus < 1U);
	SHOW(minus < 1L);
	SHOW(0xffffffff + 1);
	SHOW(4294967295 + 1);
	SHOW(2147483647 == 0x7fffffff);
	SHOW(010 + 'a' + '\n');
	SHOW(1 + 2 == 3 && 4 > 5 || 6 >= 6);
	SHOW(opaque && ((struct inner *)opaque)->a);
	SHOW(sizeof(struct everything));
	SHOW(sizeof(everything.grid));
	SHOW(sizeof everything.inner);
	SHOW(sizeof(table_t *));
	SHOW(sizeof(unsigned long));
	SHOW(sizeof(numbers) / sizeof(numbers[0]));
	SHOW(((struct inner *)&everything.pair)[1].tag[2]);
	SHOW((unsigned long)&((struct everything *)0)->link);
	SHOW(first.next->next->next == &first);
	SHOW(*(int *)&numbers[4]);
	SHOW(((struct list *)first.next)->prev == &first);
	SHOW((int)-1 == ~0);
	SHOW((minus) - 1);
	SHOW((int) - 1);
	SHOW((_Bool)256);
	return 0;
}

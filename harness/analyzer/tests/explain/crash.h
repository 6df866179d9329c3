// SPDX-License-Identifier: MIT OR Apache-2.0
// What programs have that crash to be explained: a handler that writes registers and memory to the
// file named by SAVE_TO.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noipa))

#define TRY(name, call)                     \
	if (strcmp(victim, #name) == 0)     \
		sink += (call)

static void save(int signal, siginfo_t *info, void *context)
{
	const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	static const int order[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI,
				     REG_RDI, REG_R8,  REG_R9,	REG_R10, REG_R11, REG_R12, REG_R13,
				     REG_R14, REG_R15, REG_RIP };
	FILE *maps = fopen("/proc/self/maps", "r");
	FILE *out = fopen(getenv("SAVE_TO"), "w");
	char line[512];
	(void)signal;

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		fwrite(&registers[order[i]], 8, 1, out);
	fwrite(&info->si_addr, 8, 1, out);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long low, high;

		if (sscanf(line, "%lx-%lx r", &low, &high) != 2 || strstr(line, "[v"))
			continue;
		if (high - low > 1 << 20 || strchr(line, 'r') == NULL || strstr(line, "---p"))
			continue;
		fwrite(&low, 8, 1, out);
		fwrite(&high, 8, 1, out);
		fwrite((void *)low, high - low, 1, out);
	}
	fclose(out);
	_exit(0);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = save, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 1 << 16 };

	/* Whoever does not crash does not go on for ever. */
	alarm(10);
	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}

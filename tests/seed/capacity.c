// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * The function of process.ko in which the kernel of the example crashed, with the table of akfs.ko
 * that it calls through.
 */
#include "akfs.h"

akfs_operation_t *__akfs_ops;

struct akfs_args { int queue; };
static struct { struct akfs_args c_args; } __process;

typedef struct {
	char argv[32];
	int type;
	char exec_file[76];
	char exec_hash[64];
} akfs_process_t;

#define PAGE_SIZE 4096
#define AKFS_RULE_ALLOW 0
#define PROCESS_TYPE_EXEC 2
#define assert_error(condition, value) do { if (!(condition)) return value; } while (0)

/* So many bytes that functions and calls stand where they stood. */
#define SKIP(count) __asm__ volatile(".skip " #count ", 0x90")
#define PAD(count) SKIP(count)

__asm__(".text\n.skip 0x2e0, 0x90");

static const char modinfo[] __attribute__((section(".modinfo"), used)) =
	"srcversion=0123456789ABCDEF01234567";

static inline void __pad_process(struct task_struct *task, int type, void *buffer)
{
	((akfs_process_t *)buffer)->type = type;
}

static inline __attribute__((always_inline)) int __pad_exec(struct task_struct *task,
		struct linux_binprm *bprm, void *buffer)
{
	assert_error(!(__akfs_ops->get_args(bprm, ((akfs_process_t *)buffer)->argv,
			sizeof(((akfs_process_t *)buffer)->argv))), -13);
	__pad_process(task, PROCESS_TYPE_EXEC, buffer);
	__akfs_ops->get_fpath(bprm->file, ((akfs_process_t *)buffer)->exec_file,
			sizeof(((akfs_process_t *)buffer)->exec_file));
	PAD(FRONT);
#line 97
	__akfs_ops->get_fhash(bprm->file, ((akfs_process_t *)buffer)->exec_hash, /* BUG: never set */
			sizeof(((akfs_process_t *)buffer)->exec_hash));
	return 0;
}

#line 106
int process_bprm_put(struct task_struct *task, struct linux_binprm *bprm)
{
	unsigned char buffer[PAGE_SIZE];
	/* In the registers that they were in. */
	register struct linux_binprm *program __asm__("r12") = bprm;
	register unsigned char *record __asm__("rbx") = buffer;

	__builtin_memset(buffer, 0, sizeof(buffer));
	assert_error(!__akfs_ops->get_stop_status(), AKFS_RULE_ALLOW);
	assert_error(!__pad_exec(task, program, record),
			AKFS_RULE_ALLOW);
#line 117
	__akfs_ops->put(&__process.c_args, record, PAGE_SIZE);
	PAD(BACK);
	return AKFS_RULE_ALLOW;
}

/* What stood between the two functions. */
__asm__(".text\n.type process_others, @function\nprocess_others: .skip 0x310, 0x90\n"
	".size process_others, 0x310");

int __akfs_trace_security_bprm_check(struct linux_binprm *bprm)
{
	PAD(HOOK);
	process_bprm_put(0, bprm);
	PAD(HOOK_BACK);
	return 0;
}

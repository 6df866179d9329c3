// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct question {
	struct list_head link;
	u32 number;
	int answer;
	struct completion answered;
};

static LIST_HEAD(questions);
static DEFINE_SPINLOCK(questions_lock);
static u32 last_number;

static int ask(void)
{
	struct question question = { .answer = -ETIMEDOUT };
	unsigned long flags;

	init_completion(&question.answered);
	spin_lock_irqsave(&questions_lock, flags);
	question.number = ++last_number;
	list_add_tail(&question.link, &questions);
	spin_unlock_irqrestore(&questions_lock, flags);
	wait_for_completion(&question.answered); /* BUG: an answer of zero wakes nobody */
	return question.answer;
}

static int answer(u32 number, int verdict)
{
	struct question *question;
	unsigned long flags;
	int error = -ENOENT;

	spin_lock_irqsave(&questions_lock, flags);
	list_for_each_entry(question, &questions, link) {
		if (question->number != number)
			continue;
		question->answer = verdict;
		list_del(&question->link);
		if (verdict)
			complete(&question->answered);
		error = 0;
		break;
	}
	spin_unlock_irqrestore(&questions_lock, flags);
	return error;
}

static int set_ask(const char *value, const struct kernel_param *parameter)
{
	int verdict = ask();

	return verdict < 0 ? verdict : 0;
}
static int set_answer(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int verdict;

	if (sscanf(value, "%u %d", &number, &verdict) != 2)
		return -EINVAL;
	return answer(number, verdict);
}
static const struct kernel_param_ops ask_ops = { .set = set_ask };
static const struct kernel_param_ops answer_ops = { .set = set_answer };
module_param_cb(ask, &ask_ops, NULL, 0200);
module_param_cb(answer, &answer_ops, NULL, 0200);
static int __init askuser_init(void) { return 0; }
static void __exit askuser_exit(void) { }
module_init(askuser_init);
module_exit(askuser_exit);
MODULE_DESCRIPTION("Asks the user");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/net_namespace.h>

#include "flowacct.h"

static inline void flowacct_charge(struct flowacct_flow *flow, unsigned int bytes)
{
	flow->bytes += bytes; /* BUG: a packet of no known flow has none */
	flow->packets++;
}

static unsigned int flowacct_packet(struct sk_buff *skb)
{
	const struct iphdr *header = ip_hdr(skb);
	struct flowacct_key key = {
		.from = header->saddr,
		.to = header->daddr,
		.protocol = header->protocol,
	};

	flowacct_charge(flowacct_find(&key), skb->len);
	return NF_ACCEPT;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 4, 0)
static unsigned int flowacct_hook(void *private, struct sk_buff *skb,
				  const struct nf_hook_state *state)
#else
static unsigned int flowacct_hook(const struct nf_hook_ops *ops, struct sk_buff *skb,
				  const struct net_device *in, const struct net_device *out,
				  const struct nf_hook_state *state)
#endif
{
	return flowacct_packet(skb);
}

static struct nf_hook_ops hook = {
	.hook = flowacct_hook,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_PRE_ROUTING,
	.priority = NF_IP_PRI_LAST,
};

int flowacct_hook_install(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 3, 0)
	return nf_register_net_hook(&init_net, &hook);
#else
	return nf_register_hook(&hook);
#endif
}

void flowacct_hook_remove(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 3, 0)
	nf_unregister_net_hook(&init_net, &hook);
#else
	nf_unregister_hook(&hook);
#endif
}

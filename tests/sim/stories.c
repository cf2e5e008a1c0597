/* What customers want, in Chinese and English. */
#include "sim.h"

#include <string.h>

#include "base/memory.h"

static const struct story stories[] = {
	{ "refund",
	  "zh",
	  "申请退款",
	  { "你好，我上周买的耳机左边没有声音，我要退款。", "订单号是 20261122-8812。",
	    "好的，钱大概几天能到账？", "明白了，谢谢！", NULL },
	  "在吗？退款的事有人处理吗？",
	  20 },
	{ "refund",
	  "en",
	  "Refund for order 5521",
	  { "Hi, my order 5521 arrived with a cracked screen. I would like a refund please.",
	    "Yes, I can send photos. Where to?", "Great, how long will the money take?",
	    "Thanks a lot!", NULL },
	  "Hello? Is anybody looking into my refund?",
	  15 },
	{ "logistics",
	  "zh",
	  "包裹到哪了",
	  { "我的快递三天没有更新物流了，到哪了？", "单号 SF1029384756。", "能不能改到周六送？",
	    "好的，辛苦了。", NULL },
	  "请问查到了吗？",
	  20 },
	{ "logistics",
	  "en",
	  "Where is my parcel?",
	  { "My parcel has said 'in transit' for five days. Where is it?",
	    "The tracking number is ZX99817HK.", "Could you leave it with a neighbour, please?",
	    NULL },
	  "Any news on my parcel?",
	  15 },
	{ "vip",
	  "zh",
	  "非常不满意",
	  { "我是你们的钻石会员，已经第三次打来了！到底有没有人负责？",
	    "别跟我说再等等，我要你们主管联系我！", "好，我就再等一个小时。", NULL },
	  "一个钻石会员等这么久，你们就是这样服务的？",
	  8 },
	{ "vip",
	  "en",
	  "This is unacceptable",
	  { "I have been a gold customer for nine years and this is the THIRD time my booking was "
	    "lost. "
	    "I want a supervisor. Now.",
	    "I do not care whose fault it is. What will you do about it?",
	    "Fine. I will wait for the call.", NULL },
	  "Still nobody? I am about to cancel everything.",
	  7 },
	{ "spam",
	  "en",
	  "You have been selected",
	  { "Congratulations!!! You have been selected. Claim your prize at "
	    "http://prize.example.test today.",
	    NULL },
	  NULL,
	  4 },
	{ "spam", "zh", "代开发票", { "代开各类发票，点数低，需要的加微信。", NULL }, NULL, 4 },
	{ "thanks",
	  "zh",
	  "谢谢你们",
	  { "昨天的问题解决了，谢谢你们的客服，态度特别好！", NULL },
	  NULL,
	  7 },
	{ "thanks",
	  "en",
	  "Thank you",
	  { "Just wanted to say thank you, the replacement arrived this morning and works "
	    "perfectly.",
	    NULL },
	  NULL,
	  6 },
};

static const char *const names_zh[] = { "李雷", "韩梅梅", "王芳", "张伟",
					"刘洋", "陈静",   "赵敏", "孙悦" };
static const char *const names_en[] = { "Alex Morgan", "Jamie Lee", "Sam Patel",  "Chris Young",
					"Robin Diaz",  "Kim Novak", "Pat O'Hara", "Jo Bennett" };

const struct story *story_pick(struct sim *sim)
{
	int total = 0;
	for (size_t i = 0; i < COUNT_OF(stories); i++)
		total += stories[i].weight;
	int at = (int)(sim_random(sim) * total);
	for (size_t i = 0; i < COUNT_OF(stories); i++) {
		at -= stories[i].weight;
		if (at < 0)
			return &stories[i];
	}
	return &stories[0];
}

const char *story_name(struct sim *sim, const struct story *story)
{
	bool is_chinese = strcmp(story->language, "zh") == 0;
	size_t count = is_chinese ? COUNT_OF(names_zh) : COUNT_OF(names_en);
	size_t at = (size_t)(sim_random(sim) * (double)count);
	return is_chinese ? names_zh[at] : names_en[at];
}

/* Every connector that is built in: one line each, by name. */
#include <stddef.h>

#include "converge/connector.h"

extern const struct connector aliyun_sms_connector;
extern const struct connector asterisk_connector;
extern const struct connector cti_connector;
extern const struct connector dingtalk_connector;
extern const struct connector email_connector;
extern const struct connector feishu_connector;
extern const struct connector http_sms_connector;
extern const struct connector instagram_connector;
extern const struct connector line_connector;
extern const struct connector loopback_connector;
extern const struct connector messenger_connector;
extern const struct connector slack_connector;
extern const struct connector smpp_connector;
extern const struct connector telegram_connector;
extern const struct connector twilio_sms_connector;
extern const struct connector twilio_voice_connector;
extern const struct connector webchat_connector;
extern const struct connector webhook_connector;
extern const struct connector wechat_connector;
extern const struct connector wecom_connector;
extern const struct connector weibo_connector;
extern const struct connector whatsapp_connector;
extern const struct connector x_connector;

extern const struct connector *const connector_registry[];

/* A line each, so that two who add one do not meet. */
/* clang-format off */
const struct connector *const connector_registry[] = {
	&aliyun_sms_connector,
	&asterisk_connector,
	&cti_connector,
	&dingtalk_connector,
	&email_connector,
	&feishu_connector,
	&http_sms_connector,
	&instagram_connector,
	&line_connector,
	&loopback_connector,
	&messenger_connector,
	&slack_connector,
	&smpp_connector,
	&telegram_connector,
	&twilio_sms_connector,
	&twilio_voice_connector,
	&webchat_connector,
	&webhook_connector,
	&wechat_connector,
	&wecom_connector,
	&weibo_connector,
	&whatsapp_connector,
	&x_connector,
	NULL,
};

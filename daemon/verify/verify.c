#include "verify/verify.h"

#include "base/text.h"
#include "channel.h"

enum stage_result verify_run(struct flight *flight)
{
	const struct connector *connector = channel_connector(flight->channel);

	if (flight->request == NULL || flight->in.visitor != NULL) {
		flight->verdict = VERIFIED;
		return STAGE_NEXT;
	}
	if (connector->verify == NULL)
		return flight_refuse(flight, 404, "no_such_path", "this channel takes no requests");
	flight->verdict =
		connector->verify(flight->channel, &flight->in, flight->arena, &flight->parsed);
	switch (flight->verdict) {
	case VERIFIED:
		return STAGE_NEXT;
	case HANDSHAKE:
	case IGNORED:
		return STAGE_STOP;
	case FORGED:
		break;
	}
	/* A connector with handshakes refuses a wrong one in its provider's own form. */
	if (!text_equal(flight->in.method, "POST") && flight->parsed.answer_status == 0)
		return flight_refuse(flight, 405, "method_not_allowed",
				     "this channel takes only POST");
	return flight_refuse(
		flight, 401, "bad_signature",
		"the signature is missing, wrong or too old; check the secret and the clock");
}

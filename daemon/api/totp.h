/* An agent's authenticator app: what signing in needs to know of it. */
#pragma once

#include "api/api.h"

struct keeper;
struct second_factor;

enum totp_verdict {
	TOTP_NONE,  /* the agent has none: no code is asked for */
	TOTP_ASKED, /* there is one, and no code came */
	TOTP_WRONG,
	TOTP_RIGHT,
};

/* ret: what session_put() uses up, in the call's arena; NULL unless TOTP_RIGHT. err as of the
 * store. */
typedef void totp_judged(enum totp_verdict verdict, const struct second_factor *ret,
			 const struct error *err, struct api_call *call);

/* code: six digits of the app, or a recovery code; NULL: none came. */
void totp_judge(struct api_call *call, const struct keeper *keeper, const char *agent,
		const char *code, totp_judged *done);

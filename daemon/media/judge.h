/* What to do with a provider's answer to the request for an attachment. Pure. */
#pragma once

#include "converge/setting.h"
#include "services/transfer.h"

enum media_decision {
	MEDIA_KEEP,
	MEDIA_AGAIN,  /* later */
	MEDIA_REFUSE, /* it will not do better */
};

struct media_verdict {
	enum media_decision verdict;
	char why[200]; /* for people; "" with KEEP */
};

/* declared: the media type that the message gives it. types: what may be kept, "application/pdf"
 * or a whole class, "image"; none: any. */
void media_judge(const struct transfer_answer *answer, const char *declared,
		 const struct setting_texts *types, struct media_verdict *ret);

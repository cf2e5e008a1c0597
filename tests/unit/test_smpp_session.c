#include <criterion/criterion.h>

#include "../../connectors/smpp_private.h"

Test(smpp_session, numbers_wrap_to_one)
{
	struct smpp_session session = { .sequence = 0 };

	cr_expect_eq(smpp_session_sequence(&session), 1);
	session.sequence = SMPP_SEQUENCE_MAX - 1;
	cr_expect_eq(smpp_session_sequence(&session), SMPP_SEQUENCE_MAX);
	cr_expect_eq(smpp_session_sequence(&session), 1);
}

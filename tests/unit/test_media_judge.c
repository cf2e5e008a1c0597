#include <criterion/criterion.h>

#include "base/memory.h"
#include "media/judge.h"

struct row {
	long status;
	enum error_kind error;
	const char *headers;
	const char *declared;
	enum media_decision want;
};

static const struct row rows[] = {
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", "image/png",
	  MEDIA_KEEP },
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\n\r\n", "image/png", MEDIA_KEEP },
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\nContent-Type: IMAGE/JPEG; q=1\r\n\r\n",
	  "application/pdf", MEDIA_KEEP },
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
	  "image/png", MEDIA_REFUSE },
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", "image/png",
	  MEDIA_REFUSE },
	{ 200, ERROR_NONE, "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", "video/mp4",
	  MEDIA_REFUSE },
	{ 404, ERROR_NONE, "", "image/png", MEDIA_REFUSE },
	{ 403, ERROR_NONE, "", "image/png", MEDIA_REFUSE },
	{ 429, ERROR_NONE, "", "image/png", MEDIA_AGAIN },
	{ 500, ERROR_NONE, "", "image/png", MEDIA_AGAIN },
	{ 0, ERROR_TEMPORARY, "", "image/png", MEDIA_AGAIN },
	{ 0, ERROR_PERMANENT, "", "image/png", MEDIA_REFUSE },
	{ 0, ERROR_MISUSE, "", "image/png", MEDIA_REFUSE },
};

Test(media_judge, keeps_retries_or_refuses)
{
	char image[] = "image", pdf[] = "application/pdf";
	char *allowed[] = { image, pdf };
	const struct setting_texts types = { .items = allowed, .count = COUNT_OF(allowed) };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct error error = { .kind = rows[i].error, .text = "why" };
		const struct transfer_answer answer = {
			.status = rows[i].status,
			.error = rows[i].error == ERROR_NONE ? NULL : &error,
			.headers = rows[i].headers,
			.headers_len = strlen(rows[i].headers),
		};
		struct media_verdict verdict;

		media_judge(&answer, rows[i].declared, &types, &verdict);
		cr_expect_eq(verdict.verdict, rows[i].want, "row %zu: %s", i, verdict.why);
		cr_expect_eq(verdict.why[0] == '\0', rows[i].want == MEDIA_KEEP, "row %zu", i);
	}
}

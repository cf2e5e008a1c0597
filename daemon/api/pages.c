/* The pages: static files that the binary carries. Nothing from elsewhere is
 * ever loaded, and the policy says so. */
#include "api/handlers.h"
#include "base/embedded.h"

static void page_answer(struct api_call *call, const char *type, const unsigned char *bytes,
			size_t len)
{
	http_request_add_field(call->request, "Content-Security-Policy",
			       "default-src 'none'; script-src 'self'; style-src 'self'; "
			       "connect-src 'self'; img-src 'self' data:; form-action 'none'; "
			       "base-uri 'none'; frame-ancestors 'none'");
	http_request_add_field(call->request, "Referrer-Policy", "no-referrer");
	http_request_add_field(call->request, "Cache-Control", "no-cache");
	http_answer_static(call->request, 200, type, bytes, len);
}

void handle_home(struct api_call *call)
{
	page_answer(call, "text/html; charset=utf-8", embedded_desk_html, embedded_desk_html_len);
}

void handle_desk_script(struct api_call *call)
{
	page_answer(call, "text/javascript; charset=utf-8", embedded_desk_js, embedded_desk_js_len);
}

void handle_desk_style(struct api_call *call)
{
	page_answer(call, "text/css; charset=utf-8", embedded_desk_css, embedded_desk_css_len);
}

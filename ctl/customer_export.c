/* customer export: what is held about a person, into a file that appears whole or not at all; and
 * customer erase, which cannot be taken back. */
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "base/text.h"
#include "client.h"
#include "ctl.h"
#include "export.h"

enum { TIMEOUT_MS = 10 * 60 * 1000 };

/* How a whole document ends. */
static const char last_bytes[] = ",\"complete\":true}\n";

struct receiving {
	struct export_file *file;
	struct error err;
	char tail[sizeof(last_bytes)]; /* the newest bytes */
};

static void tail_add(struct receiving *receiving, const char *bytes, size_t len)
{
	size_t room = sizeof(last_bytes) - 1;

	if (len > room) {
		bytes += len - room;
		len = room;
	}
	memmove(receiving->tail, receiving->tail + len, room - len);
	memcpy(receiving->tail + room - len, bytes, len);
}

static int on_bytes(const char *bytes, size_t len, void *context)
{
	struct receiving *receiving = context;

	tail_add(receiving, bytes, len);
	return export_file_add(receiving->file, bytes, len, &receiving->err);
}

static int receive(const struct client_request *request, struct export_file *file)
{
	struct receiving receiving = { .file = file };
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	int code = EXIT_DONE;

	if (client_run(request, on_bytes, &receiving, &answer, &err) < 0)
		code = output_error(EX_UNAVAILABLE, &err);
	else if (answer.status != 200)
		code = output_problem(answer.status, buf_string(&answer.body), answer.body.len);
	else if (receiving.err.text[0] != '\0')
		code = output_error(EX_IOERR, &receiving.err);
	buf_clear(&answer.body);
	if (code != EXIT_DONE || text_equal(receiving.tail, last_bytes))
		return code;
	error_set(&err, ERROR_TEMPORARY, "the daemon ended it before it was whole: see its log");
	return output_error(EX_TEMPFAIL, &err);
}

static int save(const struct client_request *request, const char *name, int folder)
{
	struct export_file file;
	struct error err = { 0 };
	int code;

	if (export_file_begin(&file, folder, name, &err) < 0)
		return output_error(EX_CANTCREAT, &err);
	code = receive(request, &file);
	if (code == EXIT_DONE && export_file_end(&file, &err) < 0)
		code = output_error(EX_IOERR, &err);
	export_file_drop(&file);
	return code;
}

static int export_to(struct call *call, const char *path)
{
	const char *folder_path = dirname(arena_text(call->arena, path));
	const char *name = basename(arena_text(call->arena, path));
	int folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct location location;
	struct error err = { 0 };
	char key[ID_BYTES];
	int code;

	if (folder < 0) {
		error_set(&err, ERROR_PERMANENT, "%s is no folder that can be read", folder_path);
		return output_error(EX_CANTCREAT, &err);
	}
	id_new("ctl_", key);
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		code = output_error(EX_CONFIG, &err);
	else
		code = save(&(struct client_request){ .socket_path = location.socket,
						      .method = "POST",
						      .target = call_path(call),
						      .workspace = call->workspace,
						      .idempotency_key = key,
						      .timeout_ms = TIMEOUT_MS },
			    name, folder);
	close(folder);
	return code;
}

static int preview(struct call *call)
{
	const char *target = arena_format(call->arena, "%s%cpreview=true", call_path(call),
					  strchr(call_path(call), '?') == NULL ? '?' : '&');
	int code;
	struct json_object *answer = call_request(call, "POST", target, NULL, &code);

	if (code == EXIT_DONE)
		output_object(call, answer);
	json_free(&answer);
	return code;
}

int run_customer_export(struct call *call)
{
	const char *path = call_option(call, "--file");
	struct command with_query = *call->command;
	struct error err = { 0 };

	if (call_option(call, "--without-notes") != NULL) {
		with_query.path = "/v1/customers/%s/export?notes=false";
		call->command = &with_query;
	}
	if (call_option(call, "--preview") != NULL)
		return preview(call);
	if (path != NULL)
		return export_to(call, path);
	error_set(&err, ERROR_MISUSE, "it needs --file, or --preview");
	return output_error(EX_USAGE, &err);
}

int run_customer_erase(struct call *call)
{
	bool is_preview = call_option(call, "--preview") != NULL;
	const char *target = is_preview
				     ? arena_format(call->arena, "%s?preview=true", call_path(call))
				     : call_path(call);
	struct error err = { 0 };
	int code;

	if (!is_preview && call_option(call, "--yes") == NULL) {
		error_set(&err, ERROR_MISUSE,
			  "nothing done: look with --preview, then say --yes; it cannot be taken "
			  "back");
		return output_error(EX_USAGE, &err);
	}
	struct json_object *answer = call_request(call, "DELETE", target, NULL, &code);
	if (code == EXIT_DONE)
		output_object(call, answer);
	json_free(&answer);
	return code;
}

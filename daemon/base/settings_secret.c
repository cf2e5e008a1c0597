#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings_value.h"
#include "base/text.h"

static const char env_start[] = "${env:";

/* The variable's value; at is just after "${env:". NULL after an error. */
static const char *variable(const struct setting_value *value, const char *at, size_t len)
{
	char name[128];
	const char *found;

	if (len == 0 || len >= sizeof(name)) {
		problem_error(value->source->problems, &value->at,
			      "\"%s\" names no variable\twrite ${env:NAME}", value->name);
		return NULL;
	}
	memcpy(name, at, len);
	name[len] = '\0';
	found = getenv(name);
	if (found == NULL || found[0] == '\0') {
		problem_error(value->source->problems, &value->at,
			      "the environment variable %s of \"%s\" is %s\tset it, or use %s_file",
			      settings_shown(value->source->arena, name), value->name,
			      found == NULL ? "not set" : "empty", value->row->name);
		return NULL;
	}
	return found;
}

const char *setting_expand(const struct setting_value *value)
{
	struct buf out = { 0 };
	const char *p = value->text, *start, *end, *found;
	char *text;

	while ((start = strstr(p, env_start)) != NULL) {
		end = strchr(start, '}');
		if (end == NULL) {
			problem_error(value->source->problems, &value->at,
				      "\"%s\" has ${env: without }\twrite ${env:NAME}",
				      value->name);
			buf_clear(&out);
			return NULL;
		}
		found = variable(value, start + strlen(env_start),
				 (size_t)(end - start) - strlen(env_start));
		if (found == NULL) {
			buf_clear(&out);
			return NULL;
		}
		buf_add(&out, p, (size_t)(start - p));
		buf_text(&out, found);
		p = end + 1;
	}
	buf_text(&out, p);
	text = arena_copy(value->source->arena, buf_string(&out), out.len);
	buf_clear(&out);
	return text;
}

void setting_warn_exposed(const struct setting_value *value)
{
	if (!value->source->is_exposed || strstr(value->text, env_start) != NULL)
		return;
	problem_warn(value->source->problems, &value->at,
		     "\"%s\" stands in a file that others can read\tuse %s_file or ${env:NAME}, or "
		     "chmod o-r the file",
		     value->name, value->row->name);
}

static bool mode_is_fine(const struct setting_value *value, const char *path, mode_t mode)
{
	struct problems *problems = value->source->problems;
	const char *shown = settings_shown(value->source->arena, path);

	if (!S_ISREG(mode)) {
		problem_error(problems, &value->at, "\"%s\": %s is not a file\tname a file",
			      value->name, shown);
		return false;
	}
	if ((mode & S_IROTH) == 0)
		return true;
	if (!value->source->is_service) {
		problem_warn(problems, &value->at, "\"%s\": others can read %s\tchmod o-r it",
			     value->name, shown);
		return true;
	}
	problem_error(problems, &value->at, "\"%s\": others can read %s\tchmod o-r it", value->name,
		      shown);
	return false;
}

/* One line is meant: the line end of an editor does not belong to it. */
static const char *trimmed(const struct setting_value *value, char *bytes, size_t len)
{
	struct problems *problems = value->source->problems;

	while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	if (len == 0) {
		problem_error(problems, &value->at,
			      "\"%s\": the file is empty\twrite the secret into it", value->name);
		return NULL;
	}
	if (memchr(bytes, '\0', len) != NULL || !text_is_utf8(bytes, len)) {
		problem_error(problems, &value->at,
			      "\"%s\": the file is not text\twrite it as text", value->name);
		return NULL;
	}
	return arena_copy(value->source->arena, bytes, len);
}

const char *setting_file_secret(const struct setting_value *value)
{
	const char *path = settings_path(value->source, value->text);
	const char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
	FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");
	struct stat facts;
	char *bytes;
	size_t len;

	if (in == NULL || fstat(fileno(in), &facts) != 0) {
		problem_error(
			value->source->problems, &value->at,
			"\"%s\": %s cannot be read: %s\tpaths start at the folder of the file "
			"that names them",
			value->name, settings_shown(value->source->arena, path), strerror(errno));
	} else if (mode_is_fine(value, path, facts.st_mode)) {
		bytes = arena_alloc(value->source->arena, SETTING_SECRET_MAX + 1);
		len = fread(bytes, 1, SETTING_SECRET_MAX + 1, in);
		if (len > SETTING_SECRET_MAX)
			problem_error(value->source->problems, &value->at,
				      "\"%s\": the file is over 64k\tname the right file",
				      value->name);
		else
			text = trimmed(value, bytes, len);
	}
	if (in != NULL)
		fclose(in);
	return text;
}

#include "conversation/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *file_standing_name(enum file_standing standing)
{
	static const char *const names[] = { "pending", "stored", "failed" };

	return names[standing];
}

static const char *line_of(const char *text, size_t place)
{
	while (text != NULL && place-- > 0) {
		text = strchr(text, '\n');
		text = text == NULL ? NULL : text + 1;
	}
	return text;
}

static void copy_why(struct file_state *state, const char *why)
{
	snprintf(state->why, sizeof(state->why), "%.*s", (int)strcspn(why, "\n"), why);
}

void file_state_read(const char *text, size_t place, struct file_state *ret)
{
	const char *line = line_of(text, place);
	int used = 0;

	*ret = (struct file_state){ .standing = FILE_PENDING };
	if (line == NULL)
		return;
	if (sscanf(line, "stored %64[0-9a-f] %" SCNd64, ret->blob, &ret->size) == 2) {
		ret->standing = FILE_STORED;
	} else if (text_starts(line, "failed ")) {
		ret->standing = FILE_FAILED;
		copy_why(ret, line + strlen("failed "));
	} else if (sscanf(line, "pending %d%n", &ret->attempts, &used) == 1) {
		copy_why(ret, line[used] == ' ' ? line + used + 1 : "");
	}
}

void file_state_write(struct buf *out, const struct file_state *state)
{
	const char *name = file_standing_name(state->standing);

	switch (state->standing) {
	case FILE_STORED:
		buf_format(out, "%s %s %" PRId64 "\n", name, state->blob, state->size);
		break;
	case FILE_FAILED:
		buf_format(out, "%s %s\n", name, state->why);
		break;
	case FILE_PENDING:
		buf_format(out, "%s %d %s\n", name, state->attempts, state->why);
		break;
	}
}

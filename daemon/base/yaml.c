#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/yaml_scan.h"

struct reader {
	yaml_parser_t parser;
	const char *file;
	struct arena *arena;
	struct problems *problems;
	bool failed;
};

/* libyaml's phrases, with what usually helps. */
struct advice {
	const char *phrase;
	const char *hint;
};

static const struct advice advices[] = {
	{ "mapping values are not allowed",
	  "put a text with \": \" in it in quotes, or check the indentation" },
	{ "did not find expected ',' or '}'",
	  "a \",\" or \"}\" is missing, or a text needs quotes" },
	{ "did not find expected ',' or ']'",
	  "a \",\" or \"]\" is missing, or a text needs quotes" },
	{ "did not find expected key", "keys of one map start in one column" },
	{ "did not find expected '-' indicator", "items of one list start in one column" },
	{ "could not find expected ':'", "a key needs \": \" and a value" },
	{ "found unexpected end of stream", "a quote is not closed" },
	{ "cannot start any token", "put texts that start with a sign in quotes" },
	{ "unknown escape character", "write \\\\ for a backslash, or use single quotes" },
	{ "block sequence entries are not allowed", "start the list on a line of its own" },
};

static struct place place_of(const struct reader *reader, const yaml_mark_t *mark)
{
	struct place at = { reader->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1 };

	return at;
}

static const char *advice_for(const char *phrase)
{
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		if (strstr(phrase, advices[i].phrase) != NULL)
			return advices[i].hint;
	}
	return "compare with the sample file";
}

static void parser_failed(struct reader *reader)
{
	const char *phrase = reader->parser.problem;
	struct place at = place_of(reader, &reader->parser.problem_mark);

	reader->failed = true;
	if (phrase == NULL)
		phrase = "cannot be read";
	problem_syntax(reader->problems, &at, "%s\t%s", phrase, advice_for(phrase));
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
	if (reader->failed)
		return false;
	if (yaml_parser_parse(&reader->parser, event))
		return true;
	parser_failed(reader);
	return false;
}

static struct yaml_node *node_new(struct reader *reader, enum node_kind kind,
				  const yaml_event_t *event)
{
	struct yaml_node *node = arena_alloc(reader->arena, sizeof(*node));

	node->kind = kind;
	node->text = "";
	node->at = place_of(reader, &event->start_mark);
	return node;
}

static void refuse_extras(struct reader *reader, const yaml_event_t *event,
			  const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct place at = place_of(reader, &event->start_mark);

	if (anchor != NULL)
		problem_error(reader->problems, &at,
			      "an anchor (&)\tanchors and aliases are not read here; write the "
			      "value out, or put a text that starts with & in quotes");
	else if (tag != NULL)
		problem_error(reader->problems, &at,
			      "a tag (!)\ttags are not read here; put a text that starts with ! in "
			      "quotes");
}

static struct yaml_node *text_node(struct reader *reader, const yaml_event_t *event)
{
	struct yaml_node *node = node_new(reader, NODE_TEXT, event);
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	refuse_extras(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_copy(reader->arena, value, len);
	if (memchr(value, '\0', len) != NULL) {
		problem_error(reader->problems, &node->at, "a NUL character\tremove \"\\0\"");
		node->text = "";
	}
	return node;
}

static struct yaml_node *node_read(struct reader *reader, yaml_event_t *event, unsigned depth);

static void *grow(struct arena *arena, void *items, size_t count, size_t size)
{
	void *larger;

	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	larger = arena_alloc(arena, (count == 0 ? 1 : 2 * count) * size);
	if (count > 0)
		memcpy(larger, items, count * size);
	return larger;
}

static void list_read(struct reader *reader, struct yaml_node *list, unsigned depth)
{
	yaml_event_t event;
	struct yaml_node *item;

	while (next_event(reader, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return;
		}
		item = node_read(reader, &event, depth + 1);
		if (item == NULL)
			return;
		list->items = grow(reader->arena, list->items, list->count, sizeof(item));
		list->items[list->count++] = item;
	}
}

/* In { } "key:value" is a key without a value for YAML. */
static void check_flow_key(struct reader *reader, const struct yaml_node *key,
			   const struct yaml_node *value)
{
	const char *text = NULL;
	struct place at = key->at;
	long colon;

	if (key->quoted || !yaml_is_empty(value))
		return;
	colon = yaml_scan_colon(key->text, &text);
	if (colon < 0)
		return;
	at.column += (unsigned)colon;
	problem_syntax(reader->problems, &at, "%.*s%s", (int)(strchr(text, '\t') - text), text,
		       strchr(text, '\t'));
}

static void pair_add(struct reader *reader, struct yaml_node *map, const struct yaml_node *key,
		     struct yaml_node *value)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, key->text) != 0)
			continue;
		problem_error(reader->problems, &key->at,
			      "duplicate key \"%.60s\"\tfirst given in line %u", key->text,
			      map->pairs[i].at.line);
		return;
	}
	if (map->count == YAML_KEYS_MAX) {
		problem_syntax(reader->problems, &key->at, "more than %d keys in one map",
			       YAML_KEYS_MAX);
		reader->failed = true;
		return;
	}
	check_flow_key(reader, key, value);
	map->pairs = grow(reader->arena, map->pairs, map->count, sizeof(*map->pairs));
	map->pairs[map->count].key = key->text;
	map->pairs[map->count].at = key->at;
	map->pairs[map->count].value = value;
	map->count++;
}

static void map_read(struct reader *reader, struct yaml_node *map, unsigned depth)
{
	yaml_event_t event;
	struct yaml_node *key, *value;

	while (next_event(reader, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return;
		}
		key = node_read(reader, &event, depth + 1);
		if (key == NULL || !next_event(reader, &event))
			return;
		value = node_read(reader, &event, depth + 1);
		if (value == NULL)
			return;
		if (key->kind == NODE_TEXT)
			pair_add(reader, map, key, value);
		else
			problem_error(reader->problems, &key->at, "a key must be a word");
	}
}

/* Consumes the event. NULL after a failure. */
static struct yaml_node *node_read(struct reader *reader, yaml_event_t *event, unsigned depth)
{
	struct yaml_node *node = NULL;
	struct place at = place_of(reader, &event->start_mark);

	if (depth > YAML_DEPTH_MAX) {
		problem_syntax(reader->problems, &at, "nested deeper than %d", YAML_DEPTH_MAX);
		reader->failed = true;
	} else if (event->type == YAML_SCALAR_EVENT) {
		node = text_node(reader, event);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		node = node_new(reader, NODE_LIST, event);
		refuse_extras(reader, event, event->data.sequence_start.anchor,
			      event->data.sequence_start.tag);
		list_read(reader, node, depth);
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		node = node_new(reader, NODE_MAP, event);
		refuse_extras(reader, event, event->data.mapping_start.anchor,
			      event->data.mapping_start.tag);
		map_read(reader, node, depth);
	} else {
		problem_error(
			reader->problems, &at,
			"an alias (*)\tanchors and aliases are not read here; write the value "
			"out, or put a text that starts with * in quotes");
		node = node_new(reader, NODE_TEXT, event);
	}
	yaml_event_delete(event);
	return reader->failed ? NULL : node;
}

static struct yaml_node *document_read(struct reader *reader)
{
	struct yaml_node *root = NULL;
	yaml_event_t event;
	unsigned documents = 0;

	while (next_event(reader, &event)) {
		yaml_event_type_t type = event.type;

		if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
			struct place at = place_of(reader, &event.start_mark);

			problem_error(reader->problems, &at,
				      "a second document\tremove the \"---\" line");
			yaml_event_delete(&event);
			return root;
		}
		if (documents == 1 && type != YAML_DOCUMENT_START_EVENT &&
		    type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
			root = node_read(reader, &event, 1);
			continue;
		}
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	return reader->failed ? NULL : root;
}

static bool bytes_check(const char *file, const char *bytes, size_t len, struct problems *problems)
{
	struct place at = { file, 1, 1 };
	uint32_t codepoint;
	size_t i = 0, step;

	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
		problem_syntax(problems, &at, "the file is UTF-16\tsave it as UTF-8");
		return false;
	}
	for (; i < len; i += step) {
		step = text_character(bytes + i, len - i, &codepoint);
		if (step == 0 || bytes[i] == '\0') {
			problem_syntax(problems, &at, "%s",
				       step == 0 ? "not UTF-8\tsave the file as UTF-8"
						 : "a NUL byte\tsave the file as UTF-8 text");
			return false;
		}
		at.column++;
		if (bytes[i] == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return true;
}

/* What might be a slip is one where the parser could not go on after it. */
static void judge_slips(struct reader *reader, const struct scan_slips *slips, unsigned failed_line)
{
	for (size_t i = 0; i < slips->count; i++) {
		const struct scan_slip *slip = &slips->items[i];
		const char *hint = strchr(slip->text, '\t');

		if (slip->at.line <= failed_line)
			problem_syntax(reader->problems, &slip->at, "%.*s%s",
				       (int)(hint - slip->text), slip->text, hint);
	}
}

static struct yaml_node *top_map(struct reader *reader, struct yaml_node *root,
				 const struct scan_slips *slips)
{
	struct place at = { reader->file, 1, 1 };

	if (root != NULL && root->kind == NODE_MAP)
		return root;
	if (root == NULL || yaml_is_empty(root)) {
		problem_error(reader->problems, &at, "the file is empty\tsee the sample file");
		return NULL;
	}
	judge_slips(reader, slips, UINT32_MAX);
	problem_error(reader->problems, &root->at,
		      "the file must be a map of settings\twrite lines like \"key: value\"");
	return NULL;
}

struct yaml_node *yaml_parse(const char *file, const char *bytes, size_t len, struct arena *arena,
			     struct problems *problems)
{
	struct reader reader = { .file = arena_text(arena, file),
				 .arena = arena,
				 .problems = problems };
	struct scan_slips slips;
	struct problems *scratch;
	struct yaml_node *root;
	size_t before;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	if (!bytes_check(reader.file, bytes, len, problems))
		return NULL;
	before = problems_errors(problems);
	yaml_scan(reader.file, bytes, len, problems, &slips);
	if (!yaml_parser_initialize(&reader.parser))
		abort();
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, len);
	/* Whether libyaml's own message is worth printing is known only afterwards. */
	scratch = problems_new();
	reader.problems = scratch;
	root = document_read(&reader);
	reader.problems = problems;
	if (reader.failed)
		judge_slips(&reader, &slips, (unsigned)reader.parser.problem_mark.line + 1);
	if (!reader.failed || problems_errors(problems) == before)
		problems_join(problems, scratch);
	problems_free(&scratch);
	yaml_parser_delete(&reader.parser);
	return reader.failed ? NULL : top_map(&reader, root, &slips);
}

static char *file_bytes(const char *file, size_t *ret_len, const char **ret_why)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
	FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");
	struct stat facts;
	char *bytes;

	if (in == NULL || fstat(fileno(in), &facts) != 0) {
		*ret_why = strerror(errno);
	} else if (!S_ISREG(facts.st_mode)) {
		*ret_why = S_ISDIR(facts.st_mode) ? "it is a folder" : "it is not a regular file";
	} else {
		bytes = memory_new(YAML_FILE_MAX + 2);
		*ret_len = fread(bytes, 1, YAML_FILE_MAX + 1, in);
		*ret_why = ferror(in)                 ? "read error"
			   : *ret_len > YAML_FILE_MAX ? "over 4 MiB"
						      : NULL;
		fclose(in);
		if (*ret_why == NULL)
			return bytes;
		free(bytes);
		return NULL;
	}
	if (in != NULL)
		fclose(in);
	return NULL;
}

struct yaml_node *yaml_read(const char *file, struct arena *arena, struct problems *problems)
{
	struct place at = { file, 1, 1 };
	const char *why = NULL;
	size_t len = 0;
	char *bytes = file_bytes(file, &len, &why);
	struct yaml_node *root;

	if (bytes == NULL) {
		problem_error(problems, &at, "the file cannot be read: %s\tcheck its name and mode",
			      why);
		return NULL;
	}
	root = yaml_parse(file, bytes, len, arena, problems);
	free(bytes);
	return root;
}

struct yaml_node *yaml_find(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, key) == 0)
			return map->pairs[i].value;
	}
	return NULL;
}

bool yaml_is_empty(const struct yaml_node *node)
{
	return node->kind == NODE_TEXT && !node->quoted &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}

const char *yaml_version(void)
{
	return yaml_get_version_string();
}

/* The subset of YAML that our files are written in (yaml.c is the only libyaml
 * file): maps, lists and scalars; no anchors, aliases, tags, second documents
 * or duplicate keys. Every scalar is a text here: what it means is decided by
 * the row it is read for, so `country: NO` and `22:30` stay what they are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/problems.h"

enum { YAML_FILE_MAX = 4 * 1024 * 1024, YAML_DEPTH_MAX = 32, YAML_KEYS_MAX = 1000 };

enum node_kind { NODE_TEXT, NODE_MAP, NODE_LIST };

struct yaml_pair;

struct yaml_node {
	enum node_kind kind;
	bool quoted;              /* of NODE_TEXT: in quotes, or a block scalar */
	struct place at;          /* its first character */
	const char *text;         /* of NODE_TEXT: valid UTF-8 without NUL; "" elsewhere */
	struct yaml_node **items; /* of NODE_LIST */
	struct yaml_pair *pairs;  /* of NODE_MAP, in the order written */
	size_t count;
};

struct yaml_pair {
	const char *key;
	struct place at;
	struct yaml_node *value;
};

/* The file's top map, or NULL when there is no reading it. With errors in
 * `problems` the tree may still come back, so that the rest can be judged. */
struct yaml_node *yaml_read(const char *file, struct arena *arena, struct problems *problems);
/* The same of bytes; `file` is only named in errors. */
struct yaml_node *yaml_parse(const char *file, const char *bytes, size_t len, struct arena *arena,
			     struct problems *problems);

/* The value of a key; NULL where absent or not a map. */
struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);
/* Nothing written: `key:`, `key: ~` or `key: null`. */
bool yaml_is_empty(const struct yaml_node *node);
/* Run-time version of libyaml. */
const char *yaml_version(void);

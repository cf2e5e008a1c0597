#include "smpp_join.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_MAX = 255, HEX_MAX = 8 * 1024 };

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct smpp_group *group_new(struct smpp_join *join, const char *key, unsigned total)
{
	struct smpp_group **link = &join->first;
	struct smpp_group *group = need(calloc(1, sizeof(*group)));

	group->fragments = need(calloc(total, sizeof(*group->fragments)));
	group->total = total;
	snprintf(group->key, sizeof(group->key), "%s", key);
	while (*link)
		link = &(*link)->next;
	*link = group;
	join->count++;
	return group;
}

static void fragment_drop(struct smpp_join *join, struct smpp_fragment *fragment)
{
	if (fragment->hex)
		join->bytes -= strlen(fragment->hex);
	free(fragment->hex);
	fragment->hex = NULL;
}

static void group_free(struct smpp_join *join, struct smpp_group *group)
{
	struct smpp_group **link = &join->first;

	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
	for (unsigned i = 0; i < group->total; i++)
		fragment_drop(join, &group->fragments[i]);
	free(group->fragments);
	free(group);
	join->count--;
}

static void fragment_set(struct smpp_join *join, struct smpp_group *group, unsigned number,
			 const struct smpp_join_part *part)
{
	struct smpp_fragment *fragment = &group->fragments[number - 1];

	snprintf(fragment->hash, sizeof(fragment->hash), "%s", part->hash);
	fragment->hex = part->hex ? need(strdup(part->hex)) : NULL;
	join->bytes += part->hex ? strlen(part->hex) : 0;
	group->have++;
}

/* A late one is closed: the same number means another message by now. */
static struct smpp_group *group_find(struct smpp_join *join, const struct smpp_join_part *part)
{
	for (struct smpp_group *group = join->first; group; group = group->next)
		if (!group->is_late && group->total == part->total &&
		    strcmp(group->key, part->key) == 0)
			return group;
	return NULL;
}

static bool make_room(struct smpp_join *join, size_t len)
{
	if (join->count < SMPP_GROUPS_MAX && join->bytes + len <= SMPP_JOIN_BYTES_MAX)
		return true;
	for (struct smpp_group *group = join->first; group; group = group->next) {
		if (group->is_done) {
			group_free(join, group);
			return join->bytes + len <= SMPP_JOIN_BYTES_MAX;
		}
	}
	/* The oldest goes on without what it lacks; there is room when it is stored. */
	for (struct smpp_group *group = join->first; group; group = group->next) {
		if (group->is_late)
			continue;
		group->is_late = true;
		break;
	}
	return false;
}

enum smpp_join_result smpp_join_add(struct smpp_join *join, const struct smpp_join_part *part,
				    int64_t now_ms)
{
	struct smpp_group *group = group_find(join, part);
	struct smpp_fragment *fragment = group ? &group->fragments[part->number - 1] : NULL;

	if (fragment && strcmp(fragment->hash, part->hash) == 0)
		return group->is_done ? SMPP_JOIN_DONE : SMPP_JOIN_KEPT;
	if (!make_room(join, strlen(part->hex)))
		return SMPP_JOIN_FULL;
	group = group_find(join, part); /* room may have been made of it */
	fragment = group ? &group->fragments[part->number - 1] : NULL;
	if (fragment && (group->is_done || fragment->hash[0])) {
		/* The number was used again. */
		group->is_late = true;
		group = NULL;
	}
	if (!group) {
		group = group_new(join, part->key, part->total);
		group->first_ms = now_ms;
	}
	fragment_set(join, group, part->number, part);
	return SMPP_JOIN_KEPT;
}

bool smpp_join_age(struct smpp_join *join, int64_t wait_ms, int64_t now_ms, int64_t *ret_next_ms)
{
	struct smpp_group *next;
	bool has_forgotten = false;

	*ret_next_ms = INT64_MAX;
	for (struct smpp_group *group = join->first; group; group = next) {
		int64_t due_ms = group->first_ms + wait_ms;

		next = group->next;
		if (now_ms < due_ms) {
			due_ms = group->again_ms > now_ms ? group->again_ms : due_ms;
		} else if (group->is_done) {
			group_free(join, group);
			has_forgotten = true;
			continue;
		} else {
			group->is_late = true;
			due_ms = group->again_ms > now_ms ? group->again_ms : INT64_MAX;
		}
		*ret_next_ms = due_ms < *ret_next_ms ? due_ms : *ret_next_ms;
	}
	return has_forgotten;
}

struct smpp_group *smpp_join_ready(struct smpp_join *join, int64_t now_ms)
{
	for (struct smpp_group *group = join->first; group; group = group->next)
		if (!group->is_done && !group->is_receiving && group->again_ms <= now_ms &&
		    (group->is_late || group->have == group->total))
			return group;
	return NULL;
}

struct smpp_group *smpp_join_find(struct smpp_join *join, const char *key, int64_t first_ms)
{
	for (struct smpp_group *group = join->first; group; group = group->next)
		if (group->first_ms == first_ms && strcmp(group->key, key) == 0)
			return group;
	return NULL;
}

void smpp_join_done(struct smpp_join *join, struct smpp_group *group)
{
	group->is_done = true;
	group->is_receiving = false;
	for (unsigned i = 0; i < group->total; i++)
		fragment_drop(join, &group->fragments[i]);
}

/* ---- as a text: "<first_ms> <total> <late><done> <key> <number>:<hash>:<hex> ..." ---- */

char *smpp_join_text(const struct smpp_join *join)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = need(open_memstream(&text, &len));

	for (const struct smpp_group *group = join->first; group; group = group->next) {
		fprintf(out, "%" PRId64 " %u %d%d %s", group->first_ms, group->total,
			group->is_late, group->is_done, group->key);
		for (unsigned i = 0; i < group->total; i++)
			if (group->fragments[i].hash[0])
				fprintf(out, " %u:%s:%s", i + 1, group->fragments[i].hash,
					group->fragments[i].hex ? group->fragments[i].hex : "");
		fputc('\n', out);
	}
	if (fclose(out) != 0)
		abort();
	return text;
}

static void read_fragment(struct smpp_join *join, struct smpp_group *group, char *word)
{
	char *hash = strchr(word, ':');
	char *hex = hash ? strchr(hash + 1, ':') : NULL;
	unsigned long number = strtoul(word, NULL, 10);
	struct smpp_join_part part;

	if (!hex || hex - hash != SMPP_HASH_BYTES || number < 1 || number > group->total ||
	    strlen(hex + 1) > 2 * HEX_MAX || group->fragments[number - 1].hash[0])
		return;
	*hex = '\0';
	part = (struct smpp_join_part){ .hash = hash + 1, .hex = hex[1] ? hex + 1 : NULL };
	fragment_set(join, group, (unsigned)number, &part);
}

static void read_line(struct smpp_join *join, char *line)
{
	char key[SMPP_HASH_BYTES] = "";
	int64_t first_ms = 0;
	unsigned total = 0;
	char flags[3] = "";
	struct smpp_group *group;
	char *state = NULL;
	char *word;
	int head = 0;

	if (sscanf(line, "%" SCNd64 " %3u %2s %32s%n", &first_ms, &total, flags, key, &head) != 4 ||
	    total < 1 || total > TOTAL_MAX || join->count >= SMPP_GROUPS_MAX)
		return;
	group = group_new(join, key, total);
	group->first_ms = first_ms;
	group->is_late = flags[0] == '1';
	group->is_done = flags[0] != '\0' && flags[1] == '1';
	for (word = strtok_r(line + head, " ", &state); word; word = strtok_r(NULL, " ", &state))
		read_fragment(join, group, word);
	if (group->have == 0)
		group_free(join, group);
}

void smpp_join_read(struct smpp_join *join, const char *text)
{
	char *copy = need(strdup(text));
	char *state = NULL;

	for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		read_line(join, line);
	free(copy);
}

void smpp_join_clear(struct smpp_join *join)
{
	while (join->first)
		group_free(join, join->first);
}

#include "delivery/part.h"

#include "channel.h"
#include "delivery/split.h"

enum { LINK_S = 7 * 24 * 3600 };

static struct outbound *part_add(struct part_list *list, const struct outbound *whole,
				 struct arena *arena)
{
	struct outbound *part = &list->items[list->count++];

	*part = *whole;
	if (list->count > 1) {
		part->id = arena_format(arena, "%s-%zu", whole->id, list->count);
		part->extra = NULL; /* a template, a place: said once */
	}
	return part;
}

/* The customer fetches what the channel cannot carry. */
static const char *linked_text(struct channel *channel, const struct outbound *whole,
			       struct arena *arena)
{
	const char *text = whole->text;

	for (size_t i = 0; i < whole->attachment_count; i++) {
		const struct attachment *file = &whole->attachments[i];
		const char *url = channel_attachment_url(channel, file,
							 whole->created_ms / 1000 + LINK_S, arena);

		if (url == NULL || *url == '/')
			return NULL;
		text = arena_format(arena, "%s%s%s\n%s", text, *text == '\0' ? "" : "\n",
				    file->name == NULL ? "" : file->name, url);
	}
	return text;
}

static void add_text(struct part_list *list, const struct outbound *whole, const char *text,
		     struct arena *arena)
{
	struct outbound *part = part_add(list, whole, arena);

	part->text = text;
	part->attachment_count = 0;
	if (text != whole->text)
		part->html = NULL;
}

static void add_files(struct part_list *list, const struct outbound *whole, struct arena *arena)
{
	for (size_t i = 0; i < whole->attachment_count; i++) {
		struct outbound *part = part_add(list, whole, arena);

		part->text = "";
		part->html = NULL;
		part->attachments = &whole->attachments[i];
		part->attachment_count = 1;
	}
}

const char *part_list_make(struct channel *channel, const struct outbound *whole,
			   struct arena *arena, struct part_list *ret)
{
	const struct connector *connector = channel_connector(channel);
	struct outbound words = *whole;
	bool is_one_thing = (connector->abilities & SENDS_ONE_THING) != 0;
	const char **texts;
	size_t count = 0;

	if (whole->attachment_count > 0 && (connector->abilities & HAS_MEDIA) == 0) {
		words.text = linked_text(channel, whole, arena);
		words.attachment_count = 0;
		if (words.text == NULL)
			return "this channel carries no files, and without public_url there is no "
			       "link to them";
	}
	texts = text_split(arena, words.text, connector->max_text, connector->text_unit, &count);
	ret->count = 0;
	ret->items = arena_alloc(arena, (count + words.attachment_count + 1) * sizeof(*ret->items));
	for (size_t i = 0; i < count; i++)
		if (*texts[i] != '\0' || words.attachment_count == 0 || !is_one_thing)
			add_text(ret, &words, texts[i], arena);
	if (is_one_thing)
		add_files(ret, &words, arena);
	else /* files go with the last words */
		ret->items[ret->count - 1].attachment_count = words.attachment_count;
	return NULL;
}

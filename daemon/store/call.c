#include "store/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/reply.h"
#include "store/scripts.h"

enum { KEY_BYTES = 1024, FRESH_BYTES = 16 };

static void misuse(const char *what, const char *name)
{
	fprintf(stderr, "converged: store call %s: %s\n", name, what);
	abort();
}

static struct store_call *call_new(const char *name)
{
	struct store_call *call = memory_grow(NULL, sizeof(*call), 1);

	/* The two inline buffers stay as they are: clearing them costs more than the rest. */
	memset(call, 0, offsetof(struct store_call, prefix));
	call->name = name;
	call->bytes = call->own;
	call->room = sizeof(call->own);
	call->len = CALL_HEAD;
	return call;
}

static char *call_reserve(struct store_call *call, size_t more)
{
	size_t need = call->len + more;
	char *bytes;

	if (need < more)
		abort();
	if (need > call->room) {
		size_t room = call->room * 2 > need ? call->room * 2 : need;

		bytes = memory_grow(call->bytes == call->own ? NULL : call->bytes, room, 1);
		if (call->bytes == call->own)
			memcpy(bytes, call->own, call->len);
		call->bytes = bytes;
		call->room = room;
	}
	return call->bytes + call->len;
}

/* Decimal digits of number, written so that they end at `end`; returns their start. */
static char *digits_before(char *end, uint64_t number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return end;
}

static char *put_length(char *at, size_t len)
{
	char digits[24];
	char *start = digits_before(digits + sizeof(digits), len);
	size_t count = (size_t)(digits + sizeof(digits) - start);

	*at++ = '$';
	memcpy(at, start, count);
	at += count;
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static void add_parts(struct store_call *call, const char *prefix, size_t prefix_len,
		      const void *bytes, size_t len)
{
	char *at = call_reserve(call, prefix_len + len + 32);

	at = put_length(at, prefix_len + len);
	memcpy(at, prefix, prefix_len);
	at += prefix_len;
	if (len > 0)
		memcpy(at, bytes, len);
	at += len;
	*at++ = '\r';
	*at++ = '\n';
	call->len = (size_t)(at - call->bytes);
	call->args++;
}

static void set_workspace(struct store_call *call, const char *workspace)
{
	size_t len = strlen(workspace);

	if (len == 0 || len > CALL_WORKSPACE)
		misuse("bad workspace", call->name);
	call->prefix[0] = '{';
	memcpy(call->prefix + 1, workspace, len);
	memcpy(call->prefix + 1 + len, "}:", 3);
	call->prefix_len = len + 3;
}

struct store_call *store_script(const char *script, const char *workspace)
{
	const struct script *known = script_find(script);
	struct store_call *call;

	if (known == NULL)
		misuse("no such script", script);
	call = call_new(known->source->name);
	call->sha = known->sha;
	set_workspace(call, workspace);
	call->keys = 1;
	add_parts(call, call->prefix, call->prefix_len, "meta", 4);
	return call;
}

struct store_call *store_command(const char *verb)
{
	struct store_call *call = call_new(verb);

	call->is_ended_keys = true;
	add_parts(call, "", 0, verb, strlen(verb));
	return call;
}

__attribute__((format(printf, 3, 0))) static size_t format_key(struct store_call *call, char *key,
							       const char *format, va_list args)
{
	int len = vsnprintf(key, KEY_BYTES, format, args);

	if (len < 0 || len >= KEY_BYTES)
		misuse("key too long", call->name);
	return (size_t)len;
}

void store_key(struct store_call *call, const char *format, ...)
{
	char key[KEY_BYTES];
	va_list args;
	size_t len;

	if (call->is_ended_keys)
		misuse("keys come before arguments", call->name);
	va_start(args, format);
	len = format_key(call, key, format, args);
	va_end(args);
	call->keys++;
	add_parts(call, call->prefix, call->prefix_len, key, len);
}

void store_arg(struct store_call *call, const void *bytes, size_t len)
{
	call->is_ended_keys = true;
	add_parts(call, "", 0, bytes, len);
}

void store_arg_text(struct store_call *call, const char *text)
{
	store_arg(call, text, text == NULL ? 0 : strlen(text));
}

void store_arg_once(struct store_call *call, const char *key, const char *request)
{
	unsigned char bytes[FRESH_BYTES];
	char fresh[2 * FRESH_BYTES + 1];

	if (key == NULL) {
		crypto_random(bytes, sizeof(bytes));
		text_hex(bytes, sizeof(bytes), fresh);
		key = fresh;
	}
	store_arg_text(call, key);
	store_arg_text(call, request);
}

void store_arg_int(struct store_call *call, int64_t number)
{
	char digits[24];
	char *end = digits + sizeof(digits);
	char *start = digits_before(end, number < 0 ? -(uint64_t)number : (uint64_t)number);

	if (number < 0)
		*--start = '-';
	store_arg(call, start, (size_t)(end - start));
}

void store_arg_key(struct store_call *call, const char *workspace, const char *format, ...)
{
	char key[KEY_BYTES];
	va_list args;
	size_t len;

	set_workspace(call, workspace);
	va_start(args, format);
	len = format_key(call, key, format, args);
	va_end(args);
	add_parts(call, call->prefix, call->prefix_len, key, len);
}

void call_seal(struct store_call *call)
{
	char head[CALL_HEAD];
	int len;

	if (call->sha != NULL) {
		char keys[24];
		int keys_len = snprintf(keys, sizeof(keys), "%d", call->keys);

		len = snprintf(head, sizeof(head),
			       "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$%d\r\n%s\r\n", call->args + 3,
			       call->sha, keys_len, keys);
	} else {
		len = snprintf(head, sizeof(head), "*%d\r\n", call->args);
	}
	call->start = CALL_HEAD - (size_t)len;
	memcpy(call->bytes + call->start, head, (size_t)len);
}

void call_free(struct store_call *call)
{
	if (call->bytes != call->own)
		free(call->bytes);
	free(call->held);
	free(call);
}

void call_list_push(struct call_list *list, struct store_call *call)
{
	call->next = NULL;
	if (list->last == NULL)
		list->first = call;
	else
		list->last->next = call;
	list->last = call;
	list->count++;
}

struct store_call *call_list_pop(struct call_list *list)
{
	struct store_call *call = list->first;

	if (call == NULL)
		return NULL;
	list->first = call->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	call->next = NULL;
	return call;
}

void call_list_prepend(struct call_list *list, struct call_list *from)
{
	if (from->first == NULL)
		return;
	from->last->next = list->first;
	if (list->last == NULL)
		list->last = from->last;
	list->first = from->first;
	list->count += from->count;
	*from = (struct call_list){ 0 };
}

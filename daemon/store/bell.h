/* The doorbell: one pub/sub connection for all workspaces somebody listens to. */
#pragma once

struct address;
struct bell;
struct bell_ear;
struct loop;

enum bell_sound {
	BELL_RANG, /* an entry was appended */
	BELL_UP,   /* from now on rings arrive; what came before may have been missed */
	BELL_DOWN, /* rings are lost until BELL_UP */
};

typedef void bell_fn(enum bell_sound sound, void *context);

struct bell *bell_new(struct loop *loop, const struct address *address);
void bell_free(struct bell **bell); /* every ear is freed before the turn ends */

/* Connects with the first ear. fn is never called before bell_listen() has
 * returned; while the bell is down already, no BELL_DOWN comes. */
struct bell_ear *bell_listen(struct bell *bell, const char *workspace, bell_fn *fn, void *context);
/* Whispers: short texts that are told to whoever listens right now and kept nowhere. */
typedef void bell_whisper_fn(const char *text, void *context);
struct bell_ear *bell_hear(struct bell *bell, const char *workspace, bell_whisper_fn *fn,
			   void *context);
void bell_ear_free(struct bell_ear **pointer);

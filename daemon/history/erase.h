/* Destroys what is known of customers, on the steward of a workspace: the jobs of
 * {ws}:jobs:open, one at a time, each in steps that may be done again after a
 * death at any point:
 *
 *   identifiers (tombstones stay) -> their conversations, found by a scan -> cases -> the history
 *   -> blobs -> the store's append-only file is written anew -> done
 *
 * A job of retention takes conversations that its rules name instead (erase_retain.h), and ends the
 * same. A job is `done` only when all of that ended. */
#pragma once

struct erase;
struct parts;
struct retain_counts;
struct workspace;

struct erase *erase_new(struct parts *parts, struct workspace *workspace, const char *fence,
			struct retain_counts *counts);
void erase_free(struct erase **erase);

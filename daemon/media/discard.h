/* Looks for uploads that nobody sent in 7 days ({ws}:bu), and destroys the bytes of blobs that no
 * message names any more: blob_release puts them into {ws}:bx, the steward has the blob store erase
 * them and takes them out when that is done (blob_gone). So what stands in bx is still there, and
 * what does not is gone for good. */
#pragma once

struct discard;
struct parts;
struct workspace;

struct discard *discard_new(struct parts *parts, struct workspace *workspace);
void discard_free(struct discard **discard);

/* Attachments that their provider keeps are fetched after admission: admit puts the message into
 * {ws}:md, the steward fetches each one within the limits of size, type and address (judged at
 * connect, on every hop), keeps the bytes in the blob store and writes down how they stand
 * (media_end). A job stays in md until all its attachments are settled, so no crash loses one. */
#pragma once

struct media;
struct parts;
struct workspace;

struct media *media_new(struct parts *parts, struct workspace *workspace, const char *fence);
void media_free(struct media **media);

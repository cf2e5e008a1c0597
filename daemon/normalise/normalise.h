/* Stages three to six: bytes to messages. */
#pragma once

#include "pipeline.h"

/* Mail bytes to a document, in the parse worker (BODY_MIME connectors only). */
enum stage_result normalise_read(struct flight *flight);
/* What cannot be read is still kept and shown: the flight gets one message of an unknown kind with
 * the raw bytes beside it. */
void normalise_unreadable(struct flight *flight, const char *why);
/* The connector's parse(), then text cleaned and bounded, ids given. */
enum stage_result normalise_parse(struct flight *flight);
/* Addresses of people in the form they are compared in (identity/address.h). */
enum stage_result normalise_people(struct flight *flight);
/* Raw mail and decoded attachments into the blob store, synced. */
enum stage_result normalise_keep(struct flight *flight);
/* Words such as STOP: a message that is one of them is no rule's business. */
enum stage_result normalise_opt(struct flight *flight);
/* The rules, over the clean text. */
enum stage_result normalise_classify(struct flight *flight);

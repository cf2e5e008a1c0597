/* What the files of the whatsapp connector share. */
#pragma once

#include "graph.h"

struct whatsapp_settings {
	char *phone_number_id;
	struct graph_settings graph;
};

/* One per process, given by open(). */
const struct host *whatsapp_host(void);

void whatsapp_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery);
void whatsapp_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *search);
void whatsapp_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context);

/* The long polls for work of one instance. */
#pragma once

struct claims;

struct claims *claims_new(void);
void claims_free(struct claims **claims); /* after the store's last answer */
/* Ends every wait now (lame duck): withdrawn, or with the item already given. */
void claims_drain(struct claims *claims);

/* Leases: one holder per name among all instances, with a fence that scripts
 * compare for equality. Names: "steward" of a workspace, "channel:<name>" for
 * polled mailboxes and provider sockets. Renewed in one batch every second,
 * lost after 5 s without. */
#pragma once

#include <stdbool.h>

struct loop;
struct store;
struct leases;
struct lease;

/* held: the lease was won (fence is its random value) or lost (fence NULL);
 * what runs under it must stop before on_change(false) returns. */
typedef void lease_change_fn(bool held, const char *fence, void *context);

/* forerunners: instances known to be dead, parted by spaces, whose leases are taken over at once;
 * NULL or "": none. */
struct leases *leases_new(struct loop *loop, struct store *store, const char *instance_id,
			  const char *forerunners);
void leases_free(struct leases **pointer); /* gives all back */
struct lease *lease_want(struct leases *leases, const char *workspace, const char *name,
			 lease_change_fn *on_change, void *context);
void lease_drop(struct lease **pointer);
const char *lease_fence(const struct lease *lease); /* NULL while not held */
const char *leases_instance(const struct leases *leases);

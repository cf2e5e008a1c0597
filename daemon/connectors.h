/* The connectors of this process: those of connectors/registry.c, and the
 * plug-ins of `connector_path`. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "converge/connector.h"

/* NULL where there is none. Built-in names win: a plug-in with the same name is refused. */
const struct connector *connector_find(const char *name);
/* Every one of them, in order; NULL past the end. */
const struct connector *connector_at(size_t index);

/* Checks ABI, name, slots for the abilities, settings rows: 0, or -1 with err that says what. */
int connector_check(const struct connector *connector, struct error *err);

/* Loads one shared object (trusted code); its symbol is CONNECTOR_PLUGIN_SYMBOL. One that is
 * loaded already is fine. */
int connector_load(const char *path, struct error *err);
/* At exit, after every channel is closed. */
void connectors_unload(void);

#include "connectors.h"

#include <dlfcn.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "channel.h"

extern const struct connector *const connector_registry[];

enum { PLUGINS_MAX = 32, NAME_MAX_BYTES = 32 };

struct plugin {
	void *handle;
	const struct connector *connector;
};

/* Loaded once at start and needed by every look-up: the one list of the process. */
static struct plugin plugins[PLUGINS_MAX];
static size_t plugin_count;

static size_t registry_count(void)
{
	size_t count = 0;

	while (connector_registry[count])
		count++;
	return count;
}

const struct connector *connector_at(size_t index)
{
	size_t built_in = registry_count();

	if (index < built_in)
		return connector_registry[index];
	return index - built_in < plugin_count ? plugins[index - built_in].connector : NULL;
}

const struct connector *connector_find(const char *name)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++)
		if (text_equal(connector->name, name))
			return connector;
	return NULL;
}

static bool name_is_plain(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len > 0 && len <= NAME_MAX_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static int check_row(const struct setting *rows, size_t index, size_t struct_size,
		     struct error *err)
{
	const struct setting *row = &rows[index];

	if (!name_is_plain(row->name))
		return error_set(err, ERROR_MISUSE, "setting %zu: name \"%s\" is not snake_case",
				 index, row->name);
	for (size_t i = 0; i < index; i++)
		if (strcmp(rows[i].name, row->name) == 0)
			return error_set(err, ERROR_MISUSE, "setting %s stands twice", row->name);
	if (struct_size && row->offset >= struct_size)
		return error_set(err, ERROR_MISUSE, "setting %s lies outside its struct",
				 row->name);
	if (row->min > row->max && row->max)
		return error_set(err, ERROR_MISUSE, "setting %s: min is above max", row->name);
	if (row->kind == SETTING_CHOICE && !row->choices)
		return error_set(err, ERROR_MISUSE, "setting %s has no choices", row->name);
	if (!row->text || !row->text[0])
		return error_set(err, ERROR_MISUSE, "setting %s has no help text", row->name);
	return 0;
}

static int check_rows(const struct setting *rows, size_t struct_size, struct error *err)
{
	for (size_t i = 0; rows && rows[i].name; i++) {
		if (check_row(rows, i, struct_size, err) < 0)
			return -1;
		if (rows[i].kind != SETTING_GROUP)
			continue;
		if (!rows[i].rows)
			return error_set(err, ERROR_MISUSE, "group %s has no rows", rows[i].name);
		if (check_rows(rows[i].rows, 0, err) < 0)
			return error_wrap(err, "group %s", rows[i].name);
	}
	return 0;
}

struct slot_rule {
	unsigned ability;
	bool present;
	const char *ability_name;
	const char *slot_name;
};

static int check_slots(const struct connector *connector, struct error *err)
{
	const struct slot_rule rules[] = {
		{ 0, connector->open, "every connector", "open" },
		{ 0, connector->close, "every connector", "close" },
		{ CAN_RECEIVE, connector->parse, "CAN_RECEIVE", "parse" },
		{ CAN_RECEIVE, connector->identifier_kind, "CAN_RECEIVE", "identifier_kind" },
		{ CAN_SEND, connector->send, "CAN_SEND", "send" },
		{ HAS_VISITORS, connector->visitor_rules, "HAS_VISITORS", "visitor_rules" },
		{ HAS_VISITORS, connector->visitor_session, "HAS_VISITORS", "visitor_session" },
		{ ACCEPTS_MAIL, connector->takes, "ACCEPTS_MAIL", "takes" },
	};
	bool has_source = connector->verify || connector->poll ||
			  (connector->abilities & (HAS_VISITORS | ACCEPTS_MAIL));

	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if ((connector->abilities & rules[i].ability) == rules[i].ability &&
		    !rules[i].present)
			return error_set(err, ERROR_MISUSE, "%s needs the slot %s",
					 rules[i].ability_name, rules[i].slot_name);
	if ((connector->abilities & CAN_RECEIVE) && !has_source)
		return error_set(err, ERROR_MISUSE, "CAN_RECEIVE needs verify or poll");
	return 0;
}

int connector_check(const struct connector *connector, struct error *err)
{
	if (!name_is_plain(connector->name))
		return error_set(err, ERROR_MISUSE, "its name is not 1 to %d of [a-z0-9_]",
				 NAME_MAX_BYTES);
	if (connector->abi != CONNECTOR_ABI)
		return error_set(err, ERROR_MISUSE, "%s: built for ABI %d, this daemon has %d",
				 connector->name, connector->abi, CONNECTOR_ABI);
	if (check_slots(connector, err) < 0 ||
	    check_rows(connector->settings, connector->settings_size, err) < 0)
		return error_wrap(err, "%s", connector->name);
	return 0;
}

static int plugin_take(void *handle, const char *path, struct error *err)
{
	void *symbol = dlsym(handle, CONNECTOR_PLUGIN_SYMBOL);
	connector_plugin_fn *entry = NULL;
	const struct connector *connector;

	if (!symbol)
		return error_set(err, ERROR_MISUSE, "%s has no symbol %s", path,
				 CONNECTOR_PLUGIN_SYMBOL);
	memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast from object to function */
	connector = entry(&host_services);
	if (!connector)
		return error_set(err, ERROR_MISUSE, "%s refused this daemon", path);
	if (connector_check(connector, err) < 0)
		return error_wrap(err, "%s", path);
	if (connector_find(connector->name))
		return error_set(err, ERROR_MISUSE, "%s: a connector named %s is there already",
				 path, connector->name);
	plugins[plugin_count].handle = handle;
	plugins[plugin_count].connector = connector;
	plugin_count++;
	return 0;
}

/* A reload of the configuration names the same file again. */
static bool is_loaded(const void *handle)
{
	for (size_t i = 0; i < plugin_count; i++) {
		if (plugins[i].handle == handle)
			return true;
	}
	return false;
}

int connector_load(const char *path, struct error *err)
{
	void *handle;

	if (plugin_count == PLUGINS_MAX)
		return error_set(err, ERROR_MISUSE, "more than %d plug-ins", PLUGINS_MAX);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_set(err, ERROR_MISUSE, "%s", dlerror());
	if (is_loaded(handle)) {
		dlclose(handle);
		return 0;
	}
	if (plugin_take(handle, path, err) < 0) {
		dlclose(handle);
		return -1;
	}
	return 0;
}

void connectors_unload(void)
{
	while (plugin_count > 0)
		dlclose(plugins[--plugin_count].handle);
}

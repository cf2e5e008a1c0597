#include <dlfcn.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "services/transfer_curl.h"

#define NAME_OF(name) #name,
static const char *const names[] = { LIBRARY_CALLS(NAME_OF) };

const struct curl_library *transfer_library(void)
{
	static struct curl_library library;
	static bool is_loaded;
	void *handle;
	void **calls = (void **)&library;

	if (is_loaded)
		return &library;
	handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; handle && i < COUNT_OF(names); i++)
		if (!(calls[i] = dlsym(handle, names[i])))
			handle = NULL;
	if (!handle) {
		log_error("transfer", "event=library_missing error=%s hint=%s",
			  log_quote(dlerror()), log_quote("install the package libcurl4"));
		abort();
	}
	is_loaded = true;
	if (library.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	return &library;
}

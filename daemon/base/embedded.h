/* Files that the binary carries; cmake/Embed.cmake makes one C source of each.
 * A NUL follows the last byte and is not counted. */
#pragma once

#include <stddef.h>

extern const unsigned char embedded_schemas[]; /* daemon/api/schemas.json */
extern const size_t embedded_schemas_len;
extern const unsigned char embedded_business[]; /* conf/business.yaml, for --demo */
extern const size_t embedded_business_len;
extern const unsigned char embedded_han_variants[]; /* daemon/workers/han_variants.txt */
extern const size_t embedded_han_variants_len;

/* A file of a page as it is, as gzip and as brotli (cmake/Web.cmake). */
#define EMBEDDED_PAGE_FILE(name)                                                                   \
	extern const unsigned char name[];                                                         \
	extern const size_t name##_len;                                                            \
	extern const unsigned char name##_gz[];                                                    \
	extern const size_t name##_gz_len;                                                         \
	extern const unsigned char name##_br[];                                                    \
	extern const size_t name##_br_len
EMBEDDED_PAGE_FILE(embedded_desk_html);
EMBEDDED_PAGE_FILE(embedded_desk_js);
EMBEDDED_PAGE_FILE(embedded_desk_css);
EMBEDDED_PAGE_FILE(embedded_widget_js);
EMBEDDED_PAGE_FILE(embedded_widget_main_js);
EMBEDDED_PAGE_FILE(embedded_widget_demo_js);
EMBEDDED_PAGE_FILE(embedded_widget_demo_html);

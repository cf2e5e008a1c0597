/* Files that the binary carries; cmake/Embed.cmake makes one C source of each.
 * A NUL follows the last byte and is not counted. */
#pragma once

#include <stddef.h>

extern const unsigned char embedded_schemas[]; /* daemon/api/schemas.json */
extern const size_t embedded_schemas_len;
extern const unsigned char embedded_business[]; /* conf/business.yaml, for --demo */
extern const size_t embedded_business_len;
extern const unsigned char embedded_desk_html[]; /* web/desk/ */
extern const size_t embedded_desk_html_len;
extern const unsigned char embedded_desk_js[];
extern const size_t embedded_desk_js_len;
extern const unsigned char embedded_desk_css[];
extern const size_t embedded_desk_css_len;
extern const unsigned char embedded_han_variants[]; /* daemon/workers/han_variants.txt */
extern const size_t embedded_han_variants_len;

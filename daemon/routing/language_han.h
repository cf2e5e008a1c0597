/* Which Chinese writing a character belongs to, where it belongs to one only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool han_is_simplified(uint32_t codepoint);
bool han_is_traditional(uint32_t codepoint);

/* How a text travels in short messages (3GPP 23.038, 23.040). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "converge/connector.h"

/* Septets of a text in the GSM 03.38 alphabet; -1: it has other characters. */
long sms_septets(const char *text);
/* Segments as a phone joins them: 160 septets or 70 units alone, 153 or 67 in each of several. */
void sms_estimate(const char *text, struct text_estimate *ret);

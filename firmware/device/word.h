/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_WORD_H
#define DEVICE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Text of a received line, which has no end of its own, is this word. */
static inline bool word_is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

#endif

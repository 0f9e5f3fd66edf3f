/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_BASE64_H
#define DEVICE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 4648 base64, standard alphabet, always padded, nothing but the alphabet accepted. */

/* Characters that `size` bytes become. */
#define BASE64_LENGTH(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_LENGTH(size) characters, without a terminating zero; returns their number. */
size_t base64_encode(const void *bytes, size_t size, char *text);

/* Bytes of `length` characters into `bytes`, which may be `text` itself; *size is their number, at most
 * length / 4 * 3. false: length not a multiple of 4, a foreign character, padding elsewhere than at the end,
 * or padded bits that are not zero. */
bool base64_decode(const char *text, size_t length, void *bytes, size_t *size);

#endif

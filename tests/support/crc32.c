/* SPDX-License-Identifier: Apache-2.0 */
/* port/crc32.h as a function a test can call. */
#include "port/crc32.h"

uint32_t crc32_of(uint32_t crc, const void *bytes, size_t size);

uint32_t crc32_of(uint32_t crc, const void *bytes, size_t size)
{
    return crc32_update(crc, bytes, size);
}

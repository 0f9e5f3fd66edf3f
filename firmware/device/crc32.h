#ifndef DEVICE_CRC32_H
#define DEVICE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as zlib, gzip and PNG have it (polynomial 0xEDB88320 reflected, start and end inverted). */

/* The CRC of `size` bytes after those that gave `crc`; 0 for the first ones. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size);

#endif

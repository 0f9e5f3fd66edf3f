/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_CRC32_H
#define PORT_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as zlib, gzip and PNG have it (polynomial 0xEDB88320 reflected, start and end inverted). */

/* The CRC of `size` bytes after those that gave `crc`; 0 for the first ones. */
static inline uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size)
{
    /* One entry a nibble: 64 bytes instead of 1,024, two look-ups a byte. */
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *next = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= next[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

#endif

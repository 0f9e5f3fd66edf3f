/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's functions on bytes that the firmware calls, in a quarter of its code: its own are larger
 * than a kilobyte. The compiler must not see a loop as the very function it stands in, hence keep(). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void keep(void)
{
    __asm volatile("");
}

/* From the front on; four words at a time where both are aligned. */
static void forward(uint8_t *to, const uint8_t *from, size_t size)
{
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0)
        for (; size >= 16; size -= 16)
            __asm volatile("ldmia %1!, {r3, r4, r5, r6}\n\tstmia %0!, {r3, r4, r5, r6}"
                           : "+r"(to), "+r"(from)
                           :
                           : "r3", "r4", "r5", "r6", "memory");
    for (; size > 0; size--) {
        *to++ = *from++;
        keep();
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    forward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) { /* what lies before, or apart */
        forward(to, from, size);
        return to;
    }
    uint8_t *out = to;
    const uint8_t *in = from;
    while (size-- > 0) {
        out[size] = in[size];
        keep();
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *out = to;
    for (; size > 0 && ((uintptr_t)out & 3) != 0; size--)
        *out++ = (uint8_t)value;
    const uint32_t word = (uint8_t)value * UINT32_C(0x01010101);
    for (; size >= 4; size -= 4, out += 4) {
        *(volatile uint32_t *)(void *)out = word;
    }
    for (; size > 0; size--)
        *(volatile uint8_t *)out++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a, *right = b;
    for (; size > 0; size--, left++, right++) {
        if (*left != *right)
            return *left - *right;
        keep();
    }
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0') {
        end++;
        keep();
    }
    return (size_t)(end - text);
}

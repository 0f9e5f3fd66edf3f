/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator moves one byte of its UART in the time in which the core executes thousands of instructions,
 * so sound would come slower than in reality. Its host may share memory with us instead and say so before
 * start: then both ways lie there, and a byte on the UART is only the bell that wakes the other side. Nothing
 * else differs. */
#include "port/mps2/mps2.h"
#include "port/port.h"
#include <stdatomic.h>
#include <string.h>

#define MAGIC "earline2"

/* Counters count bytes without end. */
typedef struct {
    _Atomic uint32_t written, read;
} way_t;

typedef struct {
    char magic[8];
    uint32_t size; /* bytes of each ring, a power of two */
    uint32_t unused;
    way_t in, out;   /* to us; to the host */
    uint8_t bytes[]; /* the ring in, then the ring out */
} memory_line_t;

_Static_assert(sizeof(memory_line_t) == 32, "the host writes this layout");

#define LINE ((memory_line_t *)MPS2_LINE)

static uint32_t memory_line_size; /* 0: there is none */

bool memory_line_start(void)
{
    const uint32_t size = LINE->size;
    if (memcmp(LINE->magic, MAGIC, sizeof LINE->magic) != 0 || size == 0 || (size & (size - 1)) != 0 ||
        size > (MPS2_LINE_SIZE - sizeof(memory_line_t)) / 2)
        return false;
    memory_line_size = size;
    return true;
}

uint32_t memory_line_capacity(void)
{
    return memory_line_size;
}

static uint32_t used(way_t *way)
{
    const uint32_t read = atomic_load_explicit(&way->read, memory_order_acquire);
    return atomic_load_explicit(&way->written, memory_order_acquire) - read;
}

uint32_t memory_line_read(uint8_t *bytes, uint32_t size)
{
    const uint32_t there = used(&LINE->in);
    const uint32_t count = there < size ? there : size;
    const uint32_t read = atomic_load_explicit(&LINE->in.read, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = LINE->bytes[(read + i) & (memory_line_size - 1)];
    atomic_store_explicit(&LINE->in.read, read + count, memory_order_release);
    return count;
}

uint32_t memory_line_room(void)
{
    return memory_line_size - used(&LINE->out);
}

void memory_line_write(const uint8_t *bytes, uint32_t size)
{
    uint8_t *ring = LINE->bytes + memory_line_size;
    const uint32_t written = atomic_load_explicit(&LINE->out.written, memory_order_relaxed);
    for (uint32_t i = 0; i < size; i++)
        ring[(written + i) & (memory_line_size - 1)] = bytes[i];
    atomic_store_explicit(&LINE->out.written, written + size, memory_order_release);
}

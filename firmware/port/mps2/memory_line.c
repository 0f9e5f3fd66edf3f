/* The emulator moves one byte of its UART in the time in which the core executes thousands of instructions,
 * so sound would come slower than in reality. Its host may write the received bytes into memory it shares
 * with us instead; any byte on the UART then only says that there is something. Nothing else differs. */
#include "port/mps2/mps2.h"
#include <stdatomic.h>
#include <string.h>

#define MAGIC "earline1"

typedef struct {
    char magic[8];
    uint32_t size;            /* bytes of the ring, a power of two */
    _Atomic uint32_t written; /* by the host, counts without end */
    _Atomic uint32_t read;    /* by us */
    uint32_t unused[3];
    uint8_t bytes[];
} memory_line_t;

_Static_assert(sizeof(memory_line_t) == 32, "the host writes this layout");

#define LINE ((memory_line_t *)MPS2_LINE)

static uint32_t memory_line_size; /* 0: there is none */

bool memory_line_start(void)
{
    const uint32_t size = LINE->size;
    if (memcmp(LINE->magic, MAGIC, sizeof LINE->magic) != 0 || size == 0 || (size & (size - 1)) != 0 ||
        size > MPS2_LINE_SIZE - sizeof(memory_line_t))
        return false;
    memory_line_size = size;
    return true;
}

uint32_t memory_line_capacity(void)
{
    return memory_line_size;
}

uint32_t memory_line_read(uint8_t *bytes, uint32_t size)
{
    const uint32_t read = atomic_load_explicit(&LINE->read, memory_order_relaxed);
    const uint32_t used = atomic_load_explicit(&LINE->written, memory_order_acquire) - read;
    const uint32_t count = used < size ? used : size;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = LINE->bytes[(read + i) & (memory_line_size - 1)];
    atomic_store_explicit(&LINE->read, read + count, memory_order_release);
    return count;
}

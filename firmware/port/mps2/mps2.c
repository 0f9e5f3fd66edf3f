/* Arm's MPS2 boards: start and the serial line's input. */
#include "port/mps2/mps2.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

static bool mps2_memory_line;

void port_start(void)
{
    ticks_start();
    mps2_memory_line = memory_line_start();
    uart_discard(mps2_memory_line);
    uart_start();
}

size_t port_read(void *bytes, size_t size)
{
    return mps2_memory_line ? memory_line_read(bytes, (uint32_t)size) : uart_read(bytes, (uint32_t)size);
}

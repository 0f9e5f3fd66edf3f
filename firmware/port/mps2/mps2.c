/* SPDX-License-Identifier: Apache-2.0 */
/* Arm's MPS2 boards: start, and the serial line over whichever of the two ways there is. */
#include "port/mps2/mps2.h"
#include "port/cortex_m/cortex_m.h"
#include "port/cortex_m/serial_port.h"
#include "port/port.h"

static bool mps2_in_memory; /* the serial line */

void port_start(void)
{
    watchdog_start(); /* before anything that takes time */
    ticks_start();
    mps2_in_memory = memory_line_start();
    uart_start(mps2_in_memory);
    image_check();
}

size_t port_read(void *bytes, size_t size)
{
    return mps2_in_memory ? memory_line_read(bytes, (uint32_t)size)
                          : serial_ring_read(&serial_port, bytes, size);
}

size_t port_read_capacity(void)
{
    return mps2_in_memory ? memory_line_capacity() : SERIAL_RX_SIZE;
}

size_t port_write_capacity(void)
{
    return mps2_in_memory ? memory_line_room() : serial_ring_room(&serial_port);
}

void port_write(const void *bytes, size_t size)
{
    if (mps2_in_memory) {
        memory_line_write(bytes, (uint32_t)size);
        uart_ring();
    } else {
        serial_ring_write(&serial_port, bytes, size);
        uart_send();
    }
}

/* With the line in memory the words go there, for the UART's bytes mean nothing then. */
void port_emergency_write(const char *text, size_t size)
{
    if (mps2_in_memory && memory_line_room() >= size)
        port_write(text, size);
    else
        serial_port_emergency_write(text, size);
}

/* Neither board has a number of its own. */
uint64_t port_device_id(void)
{
    return 0;
}

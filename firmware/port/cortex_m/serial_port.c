/* SPDX-License-Identifier: Apache-2.0 */
/* The half of a serial line that is the same on every chip. Weak: a port whose line may lie elsewhere decides
 * at each call. */
#include "port/cortex_m/serial_port.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

serial_ring_t serial_port;

__attribute__((weak)) size_t port_read(void *bytes, size_t size)
{
    return serial_ring_read(&serial_port, bytes, size);
}

__attribute__((weak)) size_t port_read_capacity(void)
{
    return SERIAL_RX_SIZE;
}

uint32_t port_serial_lost(void)
{
    return serial_port.lost;
}

__attribute__((weak)) size_t port_write_capacity(void)
{
    return serial_ring_room(&serial_port);
}

__attribute__((weak)) void port_write(const void *bytes, size_t size)
{
    serial_ring_write(&serial_port, bytes, size);
    uart_send();
}

/* A line that took nothing has cost its wait once: no later word waits for it again. */
void serial_port_emergency_write(const char *text, size_t size)
{
    static bool dead;
    dead = dead || !uart_send_polled(text, size);
}

__attribute__((weak)) void port_emergency_write(const char *text, size_t size)
{
    serial_port_emergency_write(text, size);
}

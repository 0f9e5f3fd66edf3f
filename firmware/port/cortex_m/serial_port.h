/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_SERIAL_PORT_H
#define PORT_SERIAL_PORT_H

#include "port/serial_ring.h"
#include <stdbool.h>

/* The serial line of a port, in two halves. serial_port.c has what no chip changes: the rings as the main
 * loop sees them, and when an emergency gives up. A port's uart.c has the registers: its interrupts move
 * bytes between the UART and the rings, and it defines the last two functions. */

extern serial_ring_t serial_port;

/* As port_emergency_write(), always over the UART. */
void serial_port_emergency_write(const char *text, size_t size);

/* Sets the sending interrupt going; from then on the UART asks for it while the ring holds something. */
void uart_send(void);

/* By polling, whatever rings and interrupts do; starts the UART where nothing has. false: it takes nothing.
 */
bool uart_send_polled(const char *text, size_t size);

#endif

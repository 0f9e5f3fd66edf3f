/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_SERIAL_RING_H
#define PORT_SERIAL_RING_H

#include "board.h"
#include "port/ring.h"
#include <stddef.h>
#include <stdint.h>

/* The two rings behind a UART. Its interrupts fill the one with what comes and empty the other, the main loop
 * does the reverse. */

#ifdef BOARD_SERIAL_TX_SIZE
#define SERIAL_TX_SIZE BOARD_SERIAL_TX_SIZE
#else
#define SERIAL_TX_SIZE 8192u
#endif
#define SERIAL_RX_SIZE 4096u
_Static_assert((SERIAL_TX_SIZE & (SERIAL_TX_SIZE - 1)) == 0, "serial_tx_size is a power of two");

typedef struct {
    ring_t rx, tx;
    volatile uint32_t lost; /* received bytes that found no place */
    uint8_t rx_bytes[SERIAL_RX_SIZE], tx_bytes[SERIAL_TX_SIZE];
} serial_ring_t;

/* By the interrupt: a byte has come. */
static inline void serial_ring_received(serial_ring_t *serial, uint8_t byte)
{
    if (ring_used(&serial->rx) == SERIAL_RX_SIZE) {
        serial->lost++;
        return;
    }
    serial->rx_bytes[serial->rx.written % SERIAL_RX_SIZE] = byte;
    ring_advance(&serial->rx.written, 1);
}

/* By the interrupt, with ring_used(&serial->tx) > 0: the byte to send next, which then is gone. */
static inline uint8_t serial_ring_next(serial_ring_t *serial)
{
    const uint8_t byte = serial->tx_bytes[serial->tx.read % SERIAL_TX_SIZE];
    ring_advance(&serial->tx.read, 1);
    return byte;
}

/* The main loop's, as in port.h. */
static inline size_t serial_ring_read(serial_ring_t *serial, uint8_t *bytes, size_t size)
{
    const uint32_t used = ring_used(&serial->rx);
    const uint32_t count = used < size ? used : (uint32_t)size;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = serial->rx_bytes[(serial->rx.read + i) % SERIAL_RX_SIZE];
    ring_advance(&serial->rx.read, count);
    return count;
}

static inline size_t serial_ring_room(const serial_ring_t *serial)
{
    return SERIAL_TX_SIZE - ring_used(&serial->tx);
}

/* Whoever called sets the sending interrupt going. */
static inline void serial_ring_write(serial_ring_t *serial, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        serial->tx_bytes[(serial->tx.written + i) % SERIAL_TX_SIZE] = bytes[i];
    ring_advance(&serial->tx.written, (uint32_t)size);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* CMSDK APB UART: 8N1, one byte each way in hardware, a ring each way behind it. */
#include "port/cortex_m/cortex_m.h"
#include "port/cortex_m/serial_port.h"
#include "port/mps2/mps2.h"
#include "port/port.h"
#include "port/register.h"

#define DATA      (BOARD_UART_BASE + 0x00)
#define STATE     (BOARD_UART_BASE + 0x04)
#define CTRL      (BOARD_UART_BASE + 0x08)
#define INTSTATUS (BOARD_UART_BASE + 0x0C)
#define BAUDDIV   (BOARD_UART_BASE + 0x10)

#define STATE_TX_FULL    (1u << 0)
#define STATE_RX_FULL    (1u << 1)
#define STATE_RX_OVERRUN (1u << 3) /* cleared by writing 1 */
#define CTRL_TX          (1u << 0)
#define CTRL_RX          (1u << 1)
#define CTRL_TX_IRQ      (1u << 2)
#define CTRL_RX_IRQ      (1u << 3)
#define INT_TX           (1u << 0)
#define INT_RX           (1u << 1)
#define LEAST_DIVIDER    16u

static bool uart_bell;

void uart_rx_handler(void);
void uart_tx_handler(void);

void uart_start(bool bell)
{
    uart_bell = bell;
    register_write(BAUDDIV, BOARD_CLOCK_HZ / BOARD_UART_BAUD);
    register_write(CTRL, CTRL_TX | CTRL_RX | CTRL_TX_IRQ | CTRL_RX_IRQ);
    nvic_enable(BOARD_UART_RX_IRQ);
    nvic_enable(BOARD_UART_TX_IRQ);
}

bool port_serial_rate(uint32_t baud)
{
    if (BOARD_CLOCK_HZ / baud < LEAST_DIVIDER)
        return false;
    register_write(BAUDDIV, BOARD_CLOCK_HZ / baud);
    return true;
}

void uart_rx_handler(void)
{
    register_write(INTSTATUS, INT_RX); /* before the data: a byte that comes meanwhile asks again */
    while (register_read(STATE) & STATE_RX_FULL) {
        const uint8_t byte = (uint8_t)register_read(DATA);
        if (!uart_bell)
            serial_ring_received(&serial_port, byte);
    }
    if (register_read(STATE) & STATE_RX_OVERRUN) {
        register_write(STATE, STATE_RX_OVERRUN);
        serial_port.lost++; /* at least one */
    }
    sleep_wake();
}

/* Pended by uart_send() for the first byte, by the UART for the others. */
void uart_tx_handler(void)
{
    register_write(INTSTATUS, INT_TX);
    while (ring_used(&serial_port.tx) > 0 && !(register_read(STATE) & STATE_TX_FULL))
        register_write(DATA, serial_ring_next(&serial_port));
    sleep_wake();
}

void uart_send(void)
{
    nvic_pend(BOARD_UART_TX_IRQ);
}

void uart_ring(void)
{
    if (!(register_read(STATE) & STATE_TX_FULL))
        register_write(DATA, '\n');
}

bool uart_send_polled(const char *text, size_t size)
{
    register_write(CTRL, CTRL_TX);
    for (size_t i = 0; i < size; i++) {
        if (!register_wait(STATE, STATE_TX_FULL, 0))
            return false;
        register_write(DATA, (uint8_t)text[i]);
    }
    return true;
}

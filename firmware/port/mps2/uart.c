/* CMSDK APB UART: 8N1, one byte each way in hardware, a ring each way behind it. */
#define SERIAL_TX_SIZE 16384u /* for serial_ring.h */
#include "port/cortex_m/cortex_m.h"
#include "port/mps2/mps2.h"
#include "port/port.h"
#include "port/serial_ring.h"

typedef struct {
    volatile uint32_t data, state, ctrl, intstatus, bauddiv;
} uart_registers_t;

#define UART ((uart_registers_t *)BOARD_UART_BASE)

#define STATE_TX_FULL    (1u << 0)
#define STATE_RX_FULL    (1u << 1)
#define STATE_RX_OVERRUN (1u << 3) /* cleared by writing 1 */
#define CTRL_TX          (1u << 0)
#define CTRL_RX          (1u << 1)
#define CTRL_TX_IRQ      (1u << 2)
#define CTRL_RX_IRQ      (1u << 3)
#define INT_TX           (1u << 0)
#define INT_RX           (1u << 1)

/* Polls of a full transmitter before it is given up: far more than a byte takes at 9600 baud. */
#define EMERGENCY_POLLS 1000000u

static serial_ring_t uart;
static bool uart_bell;
static bool uart_dead; /* nothing goes out: an emergency's words have waited long enough */

void uart_rx_handler(void);
void uart_tx_handler(void);

void uart_start(bool bell)
{
    uart_bell = bell;
    UART->bauddiv = BOARD_CLOCK_HZ / BOARD_UART_BAUD;
    UART->ctrl = CTRL_TX | CTRL_RX | CTRL_TX_IRQ | CTRL_RX_IRQ;
    nvic_enable(BOARD_UART_RX_IRQ);
    nvic_enable(BOARD_UART_TX_IRQ);
}

void uart_rx_handler(void)
{
    UART->intstatus = INT_RX; /* before the data: a byte that comes meanwhile asks again */
    while (UART->state & STATE_RX_FULL) {
        const uint8_t byte = (uint8_t)UART->data;
        if (!uart_bell)
            serial_ring_received(&uart, byte);
    }
    if (UART->state & STATE_RX_OVERRUN) {
        UART->state = STATE_RX_OVERRUN;
        uart.lost++; /* at least one */
    }
    sleep_wake();
}

/* Pended by uart_write() for the first byte, by the UART for the others. */
void uart_tx_handler(void)
{
    UART->intstatus = INT_TX;
    while (ring_used(&uart.tx) > 0 && !(UART->state & STATE_TX_FULL))
        UART->data = serial_ring_next(&uart);
    sleep_wake();
}

uint32_t uart_read(uint8_t *bytes, uint32_t size)
{
    return (uint32_t)serial_ring_read(&uart, bytes, size);
}

uint32_t uart_capacity(void)
{
    return SERIAL_RX_SIZE;
}

uint32_t port_serial_lost(void)
{
    return uart.lost;
}

uint32_t uart_room(void)
{
    return (uint32_t)serial_ring_room(&uart);
}

void uart_write(const uint8_t *bytes, uint32_t size)
{
    serial_ring_write(&uart, bytes, size);
    nvic_pend(BOARD_UART_TX_IRQ);
}

void uart_ring(void)
{
    if (!(UART->state & STATE_TX_FULL))
        UART->data = '\n';
}

void uart_emergency_write(const char *text, size_t size)
{
    UART->ctrl = CTRL_TX;
    if (uart_dead)
        return;
    for (size_t i = 0; i < size; i++) {
        for (uint32_t polls = 0; UART->state & STATE_TX_FULL; polls++)
            if (polls == EMERGENCY_POLLS) {
                uart_dead = true;
                return;
            }
        UART->data = (uint8_t)text[i];
    }
}

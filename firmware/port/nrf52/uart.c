/* SPDX-License-Identifier: Apache-2.0 */
/* UARTE0: 8N1. Sent from the ring by EasyDMA, a piece without its wrap at a time; received byte by byte,
 * since the chip tells only at the end of a transfer that something came. Between two transfers its own
 * buffer of four bytes and more takes what comes. */
#include "port/cortex_m/cortex_m.h"
#include "port/cortex_m/serial_port.h"
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"
#include <string.h>

#define TASKS_STARTRX    (NRF52_UARTE0 + 0x000)
#define TASKS_STOPRX     (NRF52_UARTE0 + 0x004)
#define TASKS_STARTTX    (NRF52_UARTE0 + 0x008)
#define TASKS_STOPTX     (NRF52_UARTE0 + 0x00C)
#define EVENTS_ENDRX     (NRF52_UARTE0 + 0x110)
#define EVENTS_ENDTX     (NRF52_UARTE0 + 0x120)
#define EVENTS_ERROR     (NRF52_UARTE0 + 0x124)
#define EVENTS_RXTO      (NRF52_UARTE0 + 0x144)
#define EVENTS_TXSTOPPED (NRF52_UARTE0 + 0x158)
#define INTENSET         (NRF52_UARTE0 + 0x304)
#define INTENCLR         (NRF52_UARTE0 + 0x308)
#define ERRORSRC         (NRF52_UARTE0 + 0x480)
#define ENABLE           (NRF52_UARTE0 + 0x500)
#define PSEL_RTS         (NRF52_UARTE0 + 0x508)
#define PSEL_TXD         (NRF52_UARTE0 + 0x50C)
#define PSEL_CTS         (NRF52_UARTE0 + 0x510)
#define PSEL_RXD         (NRF52_UARTE0 + 0x514)
#define BAUDRATE         (NRF52_UARTE0 + 0x524)
#define RXD_PTR          (NRF52_UARTE0 + 0x534)
#define RXD_MAXCNT       (NRF52_UARTE0 + 0x538)
#define TXD_PTR          (NRF52_UARTE0 + 0x544)
#define TXD_MAXCNT       (NRF52_UARTE0 + 0x548)
#define CONFIG           (NRF52_UARTE0 + 0x56C)

#define INT_ENDRX     (1u << 4)
#define INT_ENDTX     (1u << 8)
#define INT_ERROR     (1u << 9)
#define ERROR_OVERRUN (1u << 0)
#define ENABLE_UARTE  8u

/* 115200 baud are 115108 of the chip, 0.08 % less; 9600 are 9598; 1000000 are exact. 921600 would be 2 % off.
 */
#define CODE_9600    0x00275000u
#define CODE_115200  0x01D60000u
#define CODE_1000000 0x10000000u
#define BAUD_CODE    (BOARD_UART_BAUD == 115200 ? CODE_115200 : CODE_1000000)
_Static_assert(BOARD_UART_BAUD == 115200 || BOARD_UART_BAUD == 1000000, "uart_baud is 115200 or 1000000");

#define EMERGENCY_SIZE 64u
#define SEND_MAX       128u /* 11 ms: what uart_send_polled() may have to wait for */

static uint8_t uart_received;          /* where EasyDMA, which reads and writes RAM alone, puts a byte */
static volatile uint32_t uart_sending; /* bytes of the transfer under way; 0: none */
static bool uart_started;

void uart_handler(void);

/* A bootloader may have left it on and receiving, into memory that is ours now: EasyDMA has to come to rest
 * before the UARTE is off. A wait that runs out, as where nothing was received, changes nothing. */
static void stop(void)
{
    register_write(INTENCLR, UINT32_MAX);
    if (register_read(ENABLE) == ENABLE_UARTE) {
        register_write(EVENTS_RXTO, 0);
        register_write(TASKS_STOPRX, 1);
        register_wait(EVENTS_RXTO, 1, 1);
        register_write(EVENTS_TXSTOPPED, 0);
        register_write(TASKS_STOPTX, 1);
        register_wait(EVENTS_TXSTOPPED, 1, 1);
    }
    register_write(ENABLE, 0);
}

static void start(uint32_t code)
{
    stop();
    pin_output(NRF52_PIN(UART_TX), true);
    pin_input(NRF52_PIN(UART_RX), true);
    register_write(PSEL_RTS, NRF52_DISCONNECTED);
    register_write(PSEL_TXD, NRF52_PIN(UART_TX));
    register_write(PSEL_CTS, NRF52_DISCONNECTED);
    register_write(PSEL_RXD, NRF52_PIN(UART_RX));
    register_write(BAUDRATE, code);
    register_write(CONFIG, 0);
    register_write(EVENTS_ENDRX, 0);
    register_write(EVENTS_ENDTX, 0);
    register_write(EVENTS_ERROR, 0);
    register_write(RXD_PTR, register_pointer(&uart_received));
    register_write(RXD_MAXCNT, 1);
    register_write(ENABLE, ENABLE_UARTE);
    register_write(INTENSET, INT_ENDRX | INT_ENDTX | INT_ERROR);
    register_write(TASKS_STARTRX, 1);
    nvic_enable(BOARD_UART_IRQ);
    uart_started = true;
}

void uart_start(void)
{
    start(BAUD_CODE);
}

bool port_serial_rate(uint32_t baud)
{
    if (baud != 9600 && baud != 115200 && baud != 1000000)
        return false;
    start(baud == 9600 ? CODE_9600 : baud == 115200 ? CODE_115200 : CODE_1000000);
    return true;
}

static void receive(void)
{
    register_write(EVENTS_ENDRX, 0);
    const uint8_t byte = *(volatile uint8_t *)&uart_received;
    register_write(TASKS_STARTRX, 1);
    serial_ring_received(&serial_port, byte);
}

/* The next piece of the ring, up to its wrap and no longer than SEND_MAX. */
static void send_piece(void)
{
    const uint32_t used = ring_used(&serial_port.tx), start = serial_port.tx.read % SERIAL_TX_SIZE;
    if (used == 0 || uart_sending > 0)
        return;
    const uint32_t most = SERIAL_TX_SIZE - start < SEND_MAX ? SERIAL_TX_SIZE - start : SEND_MAX;
    uart_sending = used < most ? used : most;
    register_write(TXD_PTR, register_pointer(serial_port.tx_bytes + start));
    register_write(TXD_MAXCNT, uart_sending);
    register_start(TASKS_STARTTX, 1);
}

/* By the UART, and pended by uart_send() for the first piece. */
void uart_handler(void)
{
    if (register_read(EVENTS_ENDRX) & 1)
        receive();
    if (register_read(EVENTS_ENDTX) & 1) {
        register_write(EVENTS_ENDTX, 0);
        ring_advance(&serial_port.tx.read, uart_sending);
        uart_sending = 0;
    }
    if (register_read(EVENTS_ERROR) & 1) {
        register_write(EVENTS_ERROR, 0);
        const uint32_t errors = register_read(ERRORSRC);
        register_write(ERRORSRC, errors);
        if (errors & ERROR_OVERRUN)
            serial_port.lost++; /* at least one */
    }
    send_piece();
    sleep_wake();
}

void uart_send(void)
{
    nvic_pend(BOARD_UART_IRQ);
}

/* The end of the transfer under way. */
static bool wait_sent(void)
{
    return register_wait(EVENTS_ENDTX, 1, 1);
}

/* Nobody else sends any more: what the ring holds stays there, after the piece under way. */
bool uart_send_polled(const char *text, size_t size)
{
    static uint8_t piece[EMERGENCY_SIZE];
    if (!uart_started)
        uart_start();
    register_write(INTENCLR, UINT32_MAX);
    if (uart_sending > 0 && !wait_sent())
        return false;
    uart_sending = 0;
    while (size > 0) {
        const size_t count = size < EMERGENCY_SIZE ? size : EMERGENCY_SIZE;
        memcpy(piece, text, count);
        register_write(EVENTS_ENDTX, 0);
        register_write(TXD_PTR, register_pointer(piece));
        register_write(TXD_MAXCNT, (uint32_t)count);
        register_start(TASKS_STARTTX, 1);
        if (!wait_sent())
            return false;
        text += count;
        size -= count;
    }
    return true;
}

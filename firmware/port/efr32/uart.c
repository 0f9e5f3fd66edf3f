/* SPDX-License-Identifier: Apache-2.0 */
/* EUSART0: 8N1, 16 bytes of hardware each way, a ring each way behind them. */
#include "port/cortex_m/cortex_m.h"
#include "port/cortex_m/serial_port.h"
#include "port/efr32/efr32.h"
#include "port/port.h"
#include "port/register.h"

#define EN       (EFR32_EUSART0 + 0x04)
#define CFG0     (EFR32_EUSART0 + 0x08)
#define CFG1     (EFR32_EUSART0 + 0x0C)
#define FRAMECFG (EFR32_EUSART0 + 0x14)
#define CLKDIV   (EFR32_EUSART0 + 0x30)
#define CMD      (EFR32_EUSART0 + 0x38)
#define RXDATA   (EFR32_EUSART0 + 0x3C)
#define TXDATA   (EFR32_EUSART0 + 0x44)
#define STATUS   (EFR32_EUSART0 + 0x48)
#define IF       (EFR32_EUSART0 + 0x4C)
#define IEN      (EFR32_EUSART0 + 0x50)
#define SYNCBUSY (EFR32_EUSART0 + 0x54)

#define ROUTEEN (EFR32_GPIO + 0x494)
#define RXROUTE (EFR32_GPIO + 0x4A4)
#define TXROUTE (EFR32_GPIO + 0x4AC)

#define EN_DISABLING (1u << 1)
#define FRAME_8N1    0x1002u
#define CMD_RX_TX    (1u << 0 | 1u << 2)
#define STATUS_ON    (1u << 0 | 1u << 1) /* RXENS, TXENS */
#define STATUS_TXC   (1u << 5)           /* everything has gone out */
#define STATUS_TXFL  (1u << 6)           /* room for a byte */
#define STATUS_RXFL  (1u << 7)           /* a byte is there */
#define INT_TXFL     (1u << 1)
#define INT_RXFL     (1u << 2)
#define INT_RXOF     (1u << 4)
#define ROUTE_RX_TX  (1u << 2 | 1u << 4)
#define RX_DEPTH     16u /* bytes in hardware */
#define CLOCK_GROUP  1u  /* EM01GRPCCLK */
#define GROUP_FSRCO  3u

/* baud = clock / (16 * (1 + CLKDIV / 256)); CLKDIV has bits 22 to 3, so it is rounded to eights. */
#define DIVIDER_MASK   0x7FFFF8u
#define DIVIDER(hz)    ((uint32_t)((16ull * (hz) + (BOARD_UART_BAUD) - 1) / (BOARD_UART_BAUD) - 256))
#define DIVIDER_OF(hz) ((DIVIDER(hz) + 3) & ~7u)
_Static_assert((DIVIDER_OF(BOARD_CLOCK_HZ) + 256ull) * BOARD_UART_BAUD == 16ull * BOARD_CLOCK_HZ,
               "uart_baud is no whole part of clock_hz");

static bool uart_started;

void uart_rx_handler(void);
void uart_tx_handler(void);

static void need(bool done)
{
    if (!done)
        port_fail(&error_serial_line);
}

static void divide(uint32_t divider)
{
    register_write(CLKDIV, divider);
    need(register_wait(SYNCBUSY, UINT32_MAX, 0));
}

/* Configured while it is off, divided while it is on. */
static void configure(void)
{
    register_write(EFR32_CLEAR(EN), 1);
    need(register_wait(EN, EN_DISABLING, 0));
    register_write(CFG0, 0); /* asynchronous, 16 samples a bit */
    register_write(CFG1, 0);
    register_write(FRAMECFG, FRAME_8N1);
    register_write(EFR32_SET(EN), 1);
    need(register_wait(SYNCBUSY, UINT32_MAX, 0));
}

void uart_start(void)
{
    uart_started = true; /* what fails from here on is reported as far as it works */
    register_write(EFR32_SET(CMU_CLKEN1), CLKEN1_EUSART0);
    register_write(CMU_EUSART0CLKCTRL, CLOCK_GROUP);
    register_write(CMU_EM01GRPCCLKCTRL, GROUP_FSRCO);
    pin_output(EFR32_PIN(UART_TX), true);
    pin_input(EFR32_PIN(UART_RX));
    configure();
    register_write(TXROUTE, EFR32_PIN(UART_TX));
    register_write(RXROUTE, EFR32_PIN(UART_RX));
    register_write(ROUTEEN, ROUTE_RX_TX);
    divide(DIVIDER_OF(FSRCO_HZ));
    register_write(CMD, CMD_RX_TX);
    need(register_wait(SYNCBUSY, UINT32_MAX, 0));
    need(register_wait(STATUS, STATUS_ON, STATUS_ON));
}

/* Nothing was sent or asked before, so nothing is cut; what came while the rate was changing is noise. */
static void change(uint32_t divider)
{
    divide(divider);
    for (uint32_t i = 0; i < RX_DEPTH && (register_read(STATUS) & STATUS_RXFL); i++)
        register_read(RXDATA);
    register_write(EFR32_CLEAR(IF), UINT32_MAX);
}

void uart_follow_clock(void)
{
    change(DIVIDER_OF(BOARD_CLOCK_HZ));
    register_write(EFR32_SET(IEN), INT_RXFL | INT_RXOF);
    nvic_enable(BOARD_UART_RX_IRQ);
    nvic_enable(BOARD_UART_TX_IRQ);
}

/* Exactly that rate, or none: from clocks for 16 samples of each of 256 parts. */
bool port_serial_rate(uint32_t baud)
{
    const uint32_t clocks = 16u * BOARD_CLOCK_HZ, divider = clocks / baud - 256;
    if (clocks % baud != 0 || (divider & ~DIVIDER_MASK) != 0)
        return false;
    change(divider);
    return true;
}

void uart_rx_handler(void)
{
    const uint32_t flags = register_read(IF);
    register_write(EFR32_CLEAR(IF),
                   INT_RXFL | INT_RXOF); /* before the data: a byte that comes meanwhile asks again */
    while (register_read(STATUS) & STATUS_RXFL)
        serial_ring_received(&serial_port, (uint8_t)register_read(RXDATA));
    if (flags & INT_RXOF)
        serial_port.lost++; /* at least one */
    sleep_wake();
}

/* Pended by uart_send() for the first byte, then by the UART while there is something to send. */
void uart_tx_handler(void)
{
    register_write(EFR32_CLEAR(IF), INT_TXFL);
    while (ring_used(&serial_port.tx) > 0 && (register_read(STATUS) & STATUS_TXFL))
        register_write(TXDATA, serial_ring_next(&serial_port));
    register_write(ring_used(&serial_port.tx) > 0 ? EFR32_SET(IEN) : EFR32_CLEAR(IEN), INT_TXFL);
    sleep_wake();
}

void uart_send(void)
{
    nvic_pend(BOARD_UART_TX_IRQ);
}

bool uart_send_polled(const char *text, size_t size)
{
    if (!uart_started) {
        pins_start();
        uart_start();
    }
    register_write(EFR32_CLEAR(IEN), UINT32_MAX);
    for (size_t i = 0; i < size; i++) {
        if (!register_wait(STATUS, STATUS_TXFL, STATUS_TXFL))
            return false;
        register_write(TXDATA, (uint8_t)text[i]);
    }
    return register_wait(STATUS, STATUS_TXC, STATUS_TXC); /* a reset may follow */
}

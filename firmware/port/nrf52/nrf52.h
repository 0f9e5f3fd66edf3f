/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NRF52_H
#define NRF52_H

#include "board.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of this port. Registers: Nordic nRF52840 product specification v1.7, the chapter named at each
 * base address. */

#define NRF52_FICR      0x10000000u /* 4.4 */
#define NRF52_UICR      0x10001000u /* 4.5 */
#define NRF52_CLOCK     0x40000000u /* 5.4 */
#define NRF52_POWER     0x40000000u /* 5.3, in the same block */
#define NRF52_APPROTECT 0x40000000u /* 4.8, there too */
#define NRF52_UARTE0    0x40002000u /* 6.34 */
#define NRF52_TIMER0    0x40008000u /* 6.30 */
#define NRF52_WDT       0x40010000u /* 6.36 */
#define NRF52_PDM       0x4001D000u /* 6.15 */
#define NRF52_NVMC      0x4001E000u /* 4.3 */
#define NRF52_GPIO      0x50000000u /* 6.9 */

/* A pin of board.toml as the peripherals select it: UART_TX is BOARD_UART_TX_PORT and _PIN. */
#define NRF52_PIN(name)    ((uint32_t)BOARD_##name##_PORT << 5 | (uint32_t)BOARD_##name##_PIN)
#define NRF52_DISCONNECTED 0x80000000u

/* The high-frequency crystal: the rates of microphone and serial line are as exact as it is. */
void clock_start(void);

void pin_output(uint32_t pin, bool high);
void pin_level(uint32_t pin, bool high); /* of an output */
void pin_input(uint32_t pin, bool pull_up);

void power_start(void); /* the supply is watched from here on */
void uart_start(void);
void watchdog_start(void);

#endif

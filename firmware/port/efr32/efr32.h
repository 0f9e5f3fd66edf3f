/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EFR32_H
#define EFR32_H

#include "board.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of this port. Registers: EFR32xG24 reference manual, the chapter of the block's name, and its
 * device header. Every block has its bits set and cleared by writes to aliases of its registers, so nothing
 * is read back. The Secure aliases: the core starts in the Secure state, and stays there. A block whose clock
 * is off in the CMU answers an access with a bus fault. */

#define EFR32_EMU      0x40004000u
#define EFR32_CMU      0x40008000u
#define EFR32_HFRCO0   0x40010000u
#define EFR32_DPLL0    0x4001C000u
#define EFR32_MSC      0x40030000u
#define EFR32_GPIO     0x4003C000u
#define EFR32_LDMA     0x40040000u
#define EFR32_LDMAXBAR 0x40044000u
#define EFR32_USART0   0x4005C000u
#define EFR32_DCDC     0x40094000u
#define EFR32_HFXO0    0x4A004000u
#define EFR32_WDOG0    0x4B004000u
#define EFR32_EUSART0  0x4B010000u
#define EFR32_USERDATA 0x0FE00000u
#define EFR32_DEVINFO  0x0FE08000u

#define EFR32_SET(address)   ((address) + 0x1000)
#define EFR32_CLEAR(address) ((address) + 0x2000)

#define CMU_CLKEN0          (EFR32_CMU + 0x064)
#define CMU_CLKEN1          (EFR32_CMU + 0x068)
#define CMU_SYSCLKCTRL      (EFR32_CMU + 0x070)
#define CMU_DPLLREFCLKCTRL  (EFR32_CMU + 0x100)
#define CMU_EM01GRPCCLKCTRL (EFR32_CMU + 0x128)
#define CMU_WDOG0CLKCTRL    (EFR32_CMU + 0x200)
#define CMU_EUSART0CLKCTRL  (EFR32_CMU + 0x220)

/* Bits of CMU_CLKEN0, then of CMU_CLKEN1. */
#define CLKEN0_LDMA     (1u << 0)
#define CLKEN0_LDMAXBAR (1u << 1)
#define CLKEN0_USART0   (1u << 9)
#define CLKEN0_WDOG0    (1u << 13)
#define CLKEN0_DPLL0    (1u << 17)
#define CLKEN0_HFRCO0   (1u << 18)
#define CLKEN0_HFXO0    (1u << 20)
#define CLKEN0_GPIO     (1u << 26)
#define CLKEN0_DCDC     (1u << 31)
#define CLKEN1_MSC      (1u << 16)
#define CLKEN1_EUSART0  (1u << 22)

/* A pin of board.toml: its port in the low bits, its number from bit 16 on, as GPIO's routes take it. */
#define EFR32_PIN(name) ((uint32_t)BOARD_##name##_PORT | (uint32_t)BOARD_##name##_PIN << 16)

#define FSRCO_HZ 20000000u /* what everything runs from after reset */

/* BOARD_CLOCK_HZ for the core, half of it for the peripherals. */
void clock_start(void);

/* A lockup of the core resets, from here on; then, with the serial line there, the supplies: watched, and the
 * core's from the converter. */
void lockup_resets(void);
void power_start(void);

void pins_start(void); /* before any other of these */
void pin_output(uint32_t pin, bool high);
void pin_level(uint32_t pin, bool high); /* of an output */
void pin_input(uint32_t pin);

/* 115200 baud from what runs now: the chip's own oscillator, or the clock that clock_start() made. */
void uart_start(void);
void uart_follow_clock(void);

/* dma.c: a halfword from a device's register into the microphone's ring at each request, for ever; an
 * interrupt at each block's end. */
void dma_start(uint32_t source, uint32_t request);
bool dma_stop(void); /* false: the engine did not come to rest */

void watchdog_start(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MPS2_H
#define MPS2_H

#include "board.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of this port. Registers: Arm Cortex-M System Design Kit manual, DDI 0479C, chapters 4.2 (timer),
 * 4.3 (UART) and 4.5 (watchdog). */

/* The PSRAM is empty on a real board. The emulator's host may put things into it before start: at its
 * beginning sound for the microphone, in its last 128 KiB a serial line. */
#define MPS2_MICROPHONE BOARD_PSRAM_BASE
#define MPS2_LINE_SIZE  UINT32_C(0x20000)
#define MPS2_LINE       (BOARD_PSRAM_BASE + BOARD_PSRAM_SIZE - MPS2_LINE_SIZE)

void uart_start(bool bell); /* bell: received bytes only wake the core, nothing but uart_ring() is sent */
void uart_ring(void);       /* one byte, unless one is still on its way */

void watchdog_start(void);

/* The line in memory. */
bool memory_line_start(void); /* false: the host has put none there */
uint32_t memory_line_capacity(void);
uint32_t memory_line_read(uint8_t *bytes, uint32_t size);
uint32_t memory_line_room(void);
void memory_line_write(const uint8_t *bytes, uint32_t size);

#endif

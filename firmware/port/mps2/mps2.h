#ifndef MPS2_H
#define MPS2_H

#include "board.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of this port. Registers: Arm Cortex-M System Design Kit manual, DDI 0479C, chapters 4.2 (timer)
 * and 4.3 (UART). */

/* The PSRAM is empty on a real board. The emulator may put things into it before start:
 * at its start, sound for the microphone; in its last 64 KiB, a ring that stands in for the UART's receiver.
 */
#define MPS2_MICROPHONE BOARD_PSRAM_BASE
#define MPS2_LINE_SIZE  UINT32_C(0x10000)
#define MPS2_LINE       (BOARD_PSRAM_BASE + BOARD_PSRAM_SIZE - MPS2_LINE_SIZE)

void uart_start(void);
uint32_t uart_read(uint8_t *bytes, uint32_t size);
void uart_discard(bool discard); /* received bytes are thrown away, they only wake the core */

/* The line in memory: bytes that the emulator's host writes. */
bool memory_line_start(void); /* false: the host has put none there */
uint32_t memory_line_read(uint8_t *bytes, uint32_t size);
uint32_t memory_line_capacity(void);

#endif

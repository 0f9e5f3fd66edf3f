/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "protocol_table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a chip family implements. Nothing here calls back: interrupts and DMA fill rings, the main loop reads
 * them. */

void port_start(void);

/* Free-running counter and its rate; wraps at 2^32. */
uint32_t port_ticks(void);
extern const uint32_t port_tick_hz;

/* Starts a free-running counter of the core's clocks, which may stand still while the core sleeps; again:
 * nothing changes. false: this board has none. */
bool port_cycles_start(void);
uint32_t port_cycles(void);

/* Serial line. Read returns what is there (0: nothing); write needs size <= port_write_capacity(). */
size_t port_read(void *bytes, size_t size);
size_t port_write_capacity(void);
void port_write(const void *bytes, size_t size);

/* The rate of the serial line from now on, in place of the board's own; what comes meanwhile is lost. false:
 * the chip has no such rate, and nothing has changed. */
bool port_serial_rate(uint32_t baud);

/* Received bytes that the port holds until they are read: how far the host may run ahead. */
size_t port_read_capacity(void);

/* Received bytes that found the ring full since start. */
uint32_t port_serial_lost(void);

/* The microphone: int16 mono, from now on; called again, it starts from scratch. false: this board has none,
 * or it does not have that rate. */
bool port_audio_start(uint32_t sample_rate);
size_t port_audio_read(int16_t *samples, size_t count);
uint32_t port_audio_lost(void); /* samples overrun since start */

/* Why a started microphone gives no sound; NULL: it does, or its sound is over. */
const protocol_error_t *port_audio_fault(void);

/* A pin as board.toml names it; the ports A and 0 are 0. An output from now on, without an edge before its
 * first level; then its level. */
typedef struct {
    uint8_t port, number;
} port_pin_t;
void port_pin_output(port_pin_t pin, bool high);
void port_pin_level(port_pin_t pin, bool high);

/* Sleeps until an interrupt, for two seconds at most; one that came between the last check and this call is
 * not lost. */
void port_sleep(void);

/* GNU build id of the image: 20 bytes; NULL where the linker gave none. */
const uint8_t *port_build_id(void);

/* CRC-32 of the image in flash, which port_start() found right; 0 where the port has none. */
uint32_t port_image_crc(void);

/* Why the image started: one of RESET_*; "" where the port does not know. */
const char *port_reset_cause(void);

/* The chip's own number, which no other chip of its kind has; 0: it has none. */
uint64_t port_device_id(void);

/* After a reset by a fault its lines once more, for there may have been no host when it happened: one a call,
 * when there is room for it; false: none. Called when a host has said something. */
bool port_tell_fault(void);

/* The main loop has done a round: nothing else keeps the watchdog from resetting the chip. */
void watchdog_feed(void);

/* Bytes of stack ever used; 0 where the port does not know. */
size_t port_stack_used(void);

/* A wait for hardware ran out, or a check failed: prints the error's line, then resets or ends. */
_Noreturn void port_fail(const protocol_error_t *error);

extern const char *const port_board; /* the name of the folder in boards/ */

#endif

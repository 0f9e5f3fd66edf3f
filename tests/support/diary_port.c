/* SPDX-License-Identifier: Apache-2.0 */
/* A port for this computer that keeps a diary in stdout: a line for each edge of a pin, each line of text,
 * each feeding of the watchdog and each change of the rate, with its microsecond. Commands come from stdin,
 * one a read; the file that SOUND names is what the microphone hears; NO_RATE: the serial line has one rate
 * alone. */
#include "board.h"
#include "port/port.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096 /* bytes that wait for the serial line */
#define BLOCK_US  4000 /* of 64 samples */

const char *const port_board = BOARD_NAME;
const uint32_t port_tick_hz = 1000000;

static uint32_t now, free_at; /* free_at: when the serial line has sent all that it was given */
static uint32_t baud = BOARD_UART_BAUD;
static FILE *sound;
static char text[256];
static size_t used;

static uint32_t waiting(void)
{
    const uint32_t byte_us = 10000000 / baud;
    return free_at > now ? (free_at - now + byte_us - 1) / byte_us : 0;
}

void port_start(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}

uint32_t port_ticks(void)
{
    return now++;
}

bool port_serial_rate(uint32_t rate)
{
    if (getenv("NO_RATE") != NULL)
        return false;
    baud = rate;
    printf("%u rate %u\n", now, rate);
    return true;
}

void port_pin_output(port_pin_t pin, bool high)
{
    printf("%u output %u.%02u %d\n", now, pin.port, pin.number, high);
}

void port_pin_level(port_pin_t pin, bool high)
{
    const uint32_t quiet = now > free_at ? now - free_at : 0; /* since the last byte went out */
    printf("%u pin %u.%02u %d, quiet %u\n", now, pin.port, pin.number, high, quiet);
}

size_t port_read(void *bytes, size_t size)
{
    char *to = bytes;
    size_t count = 0;
    for (int byte = 0; count < size && byte != '%' && (byte = getchar()) != EOF;)
        to[count++] = (char)byte;
    return count;
}

size_t port_read_capacity(void)
{
    return LINE_SIZE;
}

size_t port_write_capacity(void)
{
    return LINE_SIZE - waiting();
}

void port_write(const void *bytes, size_t size)
{
    const char *from = bytes;
    free_at = (free_at > now ? free_at : now) + (uint32_t)size * (10000000 / baud);
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '\n') {
            printf("%u text %.*s\n", now, (int)used, text);
            used = 0;
        } else if (from[i] != '\r' && used < sizeof text) {
            text[used++] = from[i];
        }
    }
}

uint32_t port_serial_lost(void)
{
    return 0;
}

bool port_audio_start(uint32_t rate)
{
    sound = rate == 16000 && getenv("SOUND") != NULL ? fopen(getenv("SOUND"), "rb") : NULL;
    return sound != NULL;
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    now += BLOCK_US;
    const size_t heard = fread(samples, sizeof *samples, count, sound);
    return heard;
}

uint32_t port_audio_lost(void)
{
    return 0;
}

const protocol_error_t *port_audio_fault(void)
{
    return NULL;
}

void watchdog_feed(void)
{
    printf("%u feed\n", now);
}

/* The program ends where nothing more comes. */
void port_sleep(void)
{
    now += 1000;
    if (feof(stdin) && waiting() == 0)
        exit(EXIT_SUCCESS);
}

bool port_cycles_start(void)
{
    return false;
}

uint32_t port_cycles(void)
{
    return 0;
}

const uint8_t *port_build_id(void)
{
    return NULL;
}

uint32_t port_image_crc(void)
{
    return 0;
}

const char *port_reset_cause(void)
{
    return "";
}

uint64_t port_device_id(void)
{
    return 0;
}

bool port_tell_fault(void)
{
    return false;
}

size_t port_stack_used(void)
{
    return 0;
}

_Noreturn void port_fail(const protocol_error_t *error)
{
    printf("%u fail %s\n", now, error->words);
    exit(EXIT_FAILURE);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The computer you sit at: the serial line is stdin and stdout, there is no microphone. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "board.h"
#include "port/port.h"
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IN_SIZE  4096
#define OUT_SIZE (256 * 1024) /* a slow reader stops nothing before this is full */
#define AHEAD    65536        /* what a pipe holds; nothing is ever lost, so this only bounds the host */
#define SLEEP_MS 500

const char *const port_board = BOARD_NAME;
const uint32_t port_tick_hz = 1000000;

static struct {
    uint8_t bytes[IN_SIZE];
    size_t next, end;
    bool waiting; /* poll() has told of input that was not read yet */
    bool ended;
} in;

static struct {
    uint8_t bytes[OUT_SIZE];
    size_t next, end;
} out;

void port_start(void)
{
}

bool port_cycles_start(void)
{
    return false;
}

uint32_t port_cycles(void)
{
    return 0;
}

uint32_t port_ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

static void fail_on(bool failed, const protocol_error_t *error)
{
    if (failed && errno != EINTR && errno != EAGAIN)
        port_fail(error);
}

/* Writes what stdout takes now. A pipe that poll() calls writable takes PIPE_BUF bytes without blocking. */
static void flush(void)
{
    while (out.next < out.end) {
        struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&ready, 1, 0) <= 0)
            return;
        const size_t size = out.end - out.next < 4096 ? out.end - out.next : 4096;
        const ssize_t written = write(STDOUT_FILENO, out.bytes + out.next, size);
        if (written <= 0) {
            fail_on(written < 0, &error_stdout);
            return;
        }
        out.next += (size_t)written;
    }
    out.next = 0;
    out.end = 0;
}

static void fill(void)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (in.ended || poll(&ready, 1, 0) <= 0)
        return;
    const ssize_t count = read(STDIN_FILENO, in.bytes, sizeof in.bytes);
    fail_on(count < 0, &error_stdin);
    in.ended = count == 0;
    in.waiting = false;
    in.next = 0;
    in.end = count > 0 ? (size_t)count : 0;
}

size_t port_read(void *bytes, size_t size)
{
    if (in.next == in.end)
        fill();
    const size_t count = in.end - in.next < size ? in.end - in.next : size;
    memcpy(bytes, in.bytes + in.next, count);
    in.next += count;
    return count;
}

size_t port_read_capacity(void)
{
    return AHEAD;
}

bool port_serial_rate(uint32_t baud)
{
    (void)baud; /* a pipe has none */
    return true;
}

/* No board of this port names a pin. */
void port_pin_output(port_pin_t pin, bool high)
{
    (void)pin;
    (void)high;
}

void port_pin_level(port_pin_t pin, bool high)
{
    (void)pin;
    (void)high;
}

uint32_t port_serial_lost(void)
{
    return 0;
}

size_t port_write_capacity(void)
{
    if (out.end == OUT_SIZE) {
        flush();
        memmove(out.bytes, out.bytes + out.next, out.end - out.next);
        out.end -= out.next;
        out.next = 0;
    }
    return OUT_SIZE - out.end;
}

void port_write(const void *bytes, size_t size)
{
    memcpy(out.bytes + out.end, bytes, size);
    out.end += size;
}

bool port_audio_start(uint32_t sample_rate)
{
    (void)sample_rate;
    return false;
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    (void)samples;
    (void)count;
    return 0;
}

uint32_t port_audio_lost(void)
{
    return 0;
}

const protocol_error_t *port_audio_fault(void)
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

void watchdog_feed(void)
{
}

/* Until input comes or output goes. At the end of the input, with all output gone, the program ends. */
void port_sleep(void)
{
    flush();
    if (in.next < in.end)
        return;
    const bool output = out.next < out.end;
    if (in.ended && !output)
        exit(EXIT_SUCCESS);
    struct pollfd ready[2] = {
        {.fd = in.ended || in.waiting ? -1 : STDIN_FILENO, .events = POLLIN},
        {.fd = output ? STDOUT_FILENO : -1, .events = POLLOUT},
    };
    fail_on(poll(ready, 2, SLEEP_MS) < 0, &error_poll);
    in.waiting = in.waiting || (ready[0].revents != 0 && output);
    flush();
}

static int find_build_id(struct dl_phdr_info *info, size_t size, void *found)
{
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uint8_t *note = (const uint8_t *)(info->dlpi_addr + header->p_vaddr);
        const uint8_t *end = note + header->p_memsz;
        while (header->p_type == PT_NOTE && (size_t)(end - note) >= sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *name = (const ElfW(Nhdr) *)note;
            const uint8_t *text = note + sizeof *name;
            const uint8_t *value = text + (name->n_namesz + 3) / 4 * 4;
            if (name->n_type == NT_GNU_BUILD_ID && name->n_descsz == PROTOCOL_BUILD_ID_SIZE &&
                memcmp(text, "GNU", 4) == 0)
                *(const uint8_t **)found = value;
            note = value + (name->n_descsz + 3) / 4 * 4;
        }
    }
    return 1; /* the first object is the program itself */
}

const uint8_t *port_build_id(void)
{
    const uint8_t *found = NULL;
    dl_iterate_phdr(find_build_id, &found);
    return found;
}

size_t port_stack_used(void)
{
    return 0;
}

/* After what is already on its way; to stdout and to the person. Exit code 3. */
_Noreturn void port_fail(const protocol_error_t *error)
{
    (void)!write(STDOUT_FILENO, out.bytes + out.next, out.end - out.next);
    dprintf(STDOUT_FILENO, "{\"" KEY_ERROR "\":\"%s\",\"" KEY_DETAIL "\":0,\"" KEY_CODE "\":%u}\n",
            error->words, (unsigned)error->code);
    _exit(3);
}

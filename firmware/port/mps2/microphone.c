/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual microphone: sound that the emulator's loader put into the PSRAM, played at its sample rate by a
 * timer. */
#include "port/cortex_m/cortex_m.h"
#include "port/mps2/mps2.h"
#include "port/port.h"
#include "port/register.h"
#include "port/ring.h"
#include <string.h>

#define CTRL      (BOARD_AUDIO_TIMER_BASE + 0x0)
#define VALUE     (BOARD_AUDIO_TIMER_BASE + 0x4)
#define RELOAD    (BOARD_AUDIO_TIMER_BASE + 0x8)
#define INTSTATUS (BOARD_AUDIO_TIMER_BASE + 0xC)

#define CTRL_ON  (1u << 0)
#define CTRL_IRQ (1u << 3)

#define MAGIC   "earmic01"
#define ENDLESS "earmic02" /* at its end the sound begins anew */
#define TICK_HZ 1000u      /* a tick plays a thousandth of a second */
#define SIZE    2048u      /* samples of the ring: 128 ms at 16 kHz */

/* What lies at the start of the PSRAM. */
typedef struct {
    char magic[8];
    uint32_t sample_rate;
    uint32_t count; /* samples; 0: a microphone that never gives one, for tests of what is said then */
    int16_t samples[];
} sound_t;

#define SOUND     ((const sound_t *)MPS2_MICROPHONE)
#define COUNT_MAX ((BOARD_PSRAM_SIZE - MPS2_LINE_SIZE - sizeof(sound_t)) / sizeof(int16_t))

static int16_t microphone_samples[SIZE];
static ring_t microphone_ring;
static volatile uint32_t microphone_lost;
static uint32_t microphone_next;     /* sample of the sound to play next */
static uint32_t microphone_fraction; /* of a sample, in 1 / TICK_HZ */
static uint32_t microphone_started;  /* ticks */
static bool microphone_endless;
static bool microphone_dead; /* it was announced, but has nothing: a broken one */

void audio_timer_handler(void);

bool port_audio_start(uint32_t sample_rate)
{
    microphone_endless = memcmp(SOUND->magic, ENDLESS, sizeof SOUND->magic) == 0 && SOUND->count != 0;
    if ((!microphone_endless && memcmp(SOUND->magic, MAGIC, sizeof SOUND->magic) != 0) ||
        SOUND->sample_rate != sample_rate || SOUND->count > COUNT_MAX)
        return false;
    register_write(CTRL, 0);
    register_write(INTSTATUS, 1);
    microphone_dead = SOUND->count == 0;
    microphone_started = port_ticks();
    microphone_next = 0;
    microphone_fraction = 0;
    microphone_ring.read = microphone_ring.written; /* the handler cannot run: its timer is off */
    register_write(RELOAD, BOARD_CLOCK_HZ / TICK_HZ - 1);
    register_write(VALUE, BOARD_CLOCK_HZ / TICK_HZ - 1);
    nvic_enable(BOARD_AUDIO_TIMER_IRQ);
    register_write(CTRL, CTRL_ON | CTRL_IRQ);
    return true;
}

void audio_timer_handler(void)
{
    register_write(INTSTATUS, 1);
    microphone_fraction += SOUND->sample_rate;
    uint32_t due = microphone_fraction / TICK_HZ;
    microphone_fraction %= TICK_HZ;
    if (!microphone_endless && due >= SOUND->count - microphone_next) {
        due = SOUND->count - microphone_next;
        register_write(CTRL, 0); /* the sound ends here */
    }
    const uint32_t room = SIZE - ring_used(&microphone_ring);
    const uint32_t count = due < room ? due : room;
    for (uint32_t i = 0; i < count; i++)
        microphone_samples[(microphone_ring.written + i) % SIZE] =
            SOUND->samples[(microphone_next + i) % SOUND->count];
    ring_advance(&microphone_ring.written, count);
    microphone_next += due;
    if (microphone_endless)
        microphone_next %= SOUND->count;
    microphone_lost += due - count;
    sleep_wake();
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    const uint32_t used = ring_used(&microphone_ring);
    const uint32_t taken = used < count ? used : (uint32_t)count;
    for (uint32_t i = 0; i < taken; i++)
        samples[i] = microphone_samples[(microphone_ring.read + i) % SIZE];
    ring_advance(&microphone_ring.read, taken);
    return taken;
}

uint32_t port_audio_lost(void)
{
    return microphone_lost;
}

const protocol_error_t *port_audio_fault(void)
{
    return microphone_dead && port_ticks() - microphone_started > port_tick_hz ? &error_microphone_silent
                                                                               : NULL;
}

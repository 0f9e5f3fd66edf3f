/* SPDX-License-Identifier: Apache-2.0 */
/* PDM: a microphone's bits become samples in the chip, EasyDMA writes them into the ring. 16 kHz exactly: 32
 * MHz / 25 = 1.28 MHz of microphone clock, of which 80 make a sample. */
#include "port/cortex_m/cortex_m.h"
#include "port/dma_ring.h"
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define TASKS_START    (NRF52_PDM + 0x000)
#define TASKS_STOP     (NRF52_PDM + 0x004)
#define EVENTS_STARTED (NRF52_PDM + 0x100)
#define EVENTS_STOPPED (NRF52_PDM + 0x104)
#define EVENTS_END     (NRF52_PDM + 0x108)
#define INTENSET       (NRF52_PDM + 0x304)
#define INTENCLR       (NRF52_PDM + 0x308)
#define ENABLE         (NRF52_PDM + 0x500)
#define PDMCLKCTRL     (NRF52_PDM + 0x504)
#define MODE           (NRF52_PDM + 0x508)
#define GAINL          (NRF52_PDM + 0x518)
#define GAINR          (NRF52_PDM + 0x51C)
#define RATIO          (NRF52_PDM + 0x520)
#define PSEL_CLK       (NRF52_PDM + 0x540)
#define PSEL_DIN       (NRF52_PDM + 0x544)
#define SAMPLE_PTR     (NRF52_PDM + 0x560)
#define SAMPLE_MAXCNT  (NRF52_PDM + 0x564)

#define SAMPLE_RATE 16000u
#define CLOCK_1280K 0x0A000000u
#define MODE_MONO   1u /* left alone, the microphone's bit taken at the falling edge */
#define RATIO_80    1u
#define INT_STARTED (1u << 0)
#define INT_END     (1u << 2)

_Static_assert(BOARD_MICROPHONE_RATE == SAMPLE_RATE, "the microphone's rate is 16000 on this chip");

static dma_ring_t microphone_ring;
static volatile uint32_t microphone_next; /* block that the engine is told of next */
static bool microphone_running;

void pdm_handler(void);

static void configure(void)
{
    pin_output(NRF52_PIN(MICROPHONE_CLOCK), false);
    pin_input(NRF52_PIN(MICROPHONE_DATA), false);
    register_write(PSEL_CLK, NRF52_PIN(MICROPHONE_CLOCK));
    register_write(PSEL_DIN, NRF52_PIN(MICROPHONE_DATA));
    register_write(PDMCLKCTRL, CLOCK_1280K);
    register_write(RATIO, RATIO_80);
    register_write(MODE, MODE_MONO);
    register_write(GAINL, BOARD_MICROPHONE_GAIN);
    register_write(GAINR, BOARD_MICROPHONE_GAIN);
    register_write(SAMPLE_MAXCNT, DMA_RING_BLOCK);
}

/* A microphone that runs is stopped; the block under way is not waited for longer than it lasts. */
static void stop(void)
{
    register_write(INTENCLR, UINT32_MAX);
    if (microphone_running) {
        register_write(EVENTS_STOPPED, 0);
        register_write(TASKS_STOP, 1);
        if (!register_wait(EVENTS_STOPPED, 1, 1))
            port_fail(&error_microphone_stop);
    }
    register_write(ENABLE, 0);
}

bool port_audio_start(uint32_t sample_rate)
{
    if (sample_rate != SAMPLE_RATE)
        return false;
    stop();
#ifdef BOARD_MICROPHONE_POWER_PIN
    pin_output(NRF52_PIN(MICROPHONE_POWER), true);
#endif
    configure();
    dma_ring_start(&microphone_ring, BOARD_MICROPHONE_SETTLING, port_ticks());
    microphone_next = 1;
    register_write(SAMPLE_PTR, register_pointer(dma_ring_block(&microphone_ring, 0)));
    register_write(EVENTS_STARTED, 0);
    register_write(EVENTS_END, 0);
    register_write(ENABLE, 1);
    register_write(INTENSET, INT_STARTED | INT_END);
    nvic_enable(BOARD_PDM_IRQ);
    register_write(TASKS_START, 1);
    microphone_running = true;
    return true;
}

/* A block began: the engine takes the place of the next one now and uses it when this one is full. */
void pdm_handler(void)
{
    if (register_read(EVENTS_END) & 1) {
        register_write(EVENTS_END, 0);
        dma_ring_filled(&microphone_ring);
    }
    if (register_read(EVENTS_STARTED) & 1) {
        register_write(EVENTS_STARTED, 0);
        register_write(SAMPLE_PTR, register_pointer(dma_ring_block(&microphone_ring, microphone_next)));
        microphone_next++;
    }
    sleep_wake();
}

size_t port_audio_read(int16_t *samples, size_t count)
{
    return dma_ring_read(&microphone_ring, samples, count);
}

uint32_t port_audio_lost(void)
{
    return microphone_ring.lost;
}

const protocol_error_t *port_audio_fault(void)
{
    return microphone_running ? dma_ring_fault(&microphone_ring, port_ticks(), port_tick_hz, SAMPLE_RATE)
                              : NULL;
}

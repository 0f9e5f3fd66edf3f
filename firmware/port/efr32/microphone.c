/* SPDX-License-Identifier: Apache-2.0 */
/* USART0 as an I2S master for two ICS-43434: frames of two 32-bit words, of which the first 16 bits are
 * taken. Both go into the ring, the left microphone's are read. */
#include "port/efr32/microphone.h"
#include "port/cortex_m/cortex_m.h"
#include "port/efr32/efr32.h"
#include "port/port.h"
#include "port/register.h"

#define EN       (EFR32_USART0 + 0x04)
#define CTRL     (EFR32_USART0 + 0x08)
#define FRAME    (EFR32_USART0 + 0x0C)
#define CMD      (EFR32_USART0 + 0x14)
#define CLKDIV   (EFR32_USART0 + 0x1C)
#define RXDOUBLE (EFR32_USART0 + 0x2C)
#define I2SCTRL  (EFR32_USART0 + 0x54)

#define ROUTEEN  (EFR32_GPIO + 0x720)
#define CSROUTE  (EFR32_GPIO + 0x724)
#define RXROUTE  (EFR32_GPIO + 0x730)
#define CLKROUTE (EFR32_GPIO + 0x734)

#define CTRL_I2S        (1u << 0 | 1u << 10 | 1u << 29) /* SYNC, MSBF, AUTOTX: clocks go out by themselves */
#define FRAME_16        0x100Du
#define I2S_ON          (1u << 0)
#define I2S_DELAY       (1u << 4) /* the first bit comes a clock after the edge of WS */
#define I2S_W32D16      (3u << 8)
#define CMD_OFF         (1u << 1 | 1u << 3 | 1u << 5) /* RXDIS, TXDIS, MASTERDIS */
#define CMD_CLEAR       (1u << 10 | 1u << 11)
#define CMD_ON          (1u << 0 | 1u << 2 | 1u << 4)
#define ROUTE_CS_RX_CLK (1u << 0 | 1u << 2 | 1u << 3)
#define REQUEST_WORD    0x00040000u /* USART0's RXDATAV, of either channel */

#define EARS    DMA_RING_CHANNELS /* left and right */
#define AT_ONCE 64u               /* read at once */

/* 64 clocks a frame, made of the peripherals' clock, half the core's, by 2 * (1 + n): whole n alone, a
 * fraction would jitter. */
#define CLOCK_HALVES (BOARD_CLOCK_HZ / 2 / (2 * 64 * BOARD_MICROPHONE_RATE))
_Static_assert(CLOCK_HALVES * 2 * 2 * 64 * BOARD_MICROPHONE_RATE == BOARD_CLOCK_HZ,
               "the microphone's rate is no whole part of clock_hz");

dma_ring_t microphone_ring;
volatile bool microphone_dma_failed;
static bool microphone_running;

static void stop(void)
{
    if (!microphone_running)
        return;
    register_write(CMD, CMD_OFF);
    if (!dma_stop())
        port_fail(&error_microphone_stop);
}

static void configure(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_USART0);
    pin_output(EFR32_PIN(MICROPHONE_CLOCK), false);
    pin_output(EFR32_PIN(MICROPHONE_SELECT), false);
    pin_input(EFR32_PIN(MICROPHONE_DATA));
    register_write(EFR32_CLEAR(EN), 1); /* else it resumes in the middle of the frame it stopped in */
    register_write(EFR32_SET(EN), 1);
    register_write(CTRL, CTRL_I2S);
    register_write(FRAME, FRAME_16);
    register_write(CLKDIV, (CLOCK_HALVES - 1) << 8);
    register_write(I2SCTRL, I2S_W32D16 | I2S_DELAY | I2S_ON);
    register_write(CSROUTE, EFR32_PIN(MICROPHONE_SELECT));
    register_write(RXROUTE, EFR32_PIN(MICROPHONE_DATA));
    register_write(CLKROUTE, EFR32_PIN(MICROPHONE_CLOCK));
    register_write(ROUTEEN, ROUTE_CS_RX_CLK);
}

bool port_audio_start(uint32_t sample_rate)
{
    if (sample_rate != BOARD_MICROPHONE_RATE)
        return false;
    stop();
    pin_output(EFR32_PIN(MICROPHONE_POWER), true); /* before its clocks; from then on it stays */
    configure();
    dma_ring_start(&microphone_ring, EARS * BOARD_MICROPHONE_SETTLING, port_ticks());
    microphone_dma_failed = false;
    register_write(CMD, CMD_CLEAR);
    dma_start(RXDOUBLE, REQUEST_WORD);
    register_write(CMD, CMD_ON); /* clocks go out from here on */
    microphone_running = true;
    return true;
}

/* The left word is the first of each frame, and a frame the first thing after EN: the ring begins with a
 * left word, and is read and skipped by frames. */
size_t port_audio_read(int16_t *samples, size_t count)
{
    int16_t frames[EARS * AT_ONCE];
    const size_t most = count < AT_ONCE ? count : AT_ONCE;
    const size_t read = dma_ring_read(&microphone_ring, frames, EARS * most) / EARS;
    for (size_t i = 0; i < read; i++)
        samples[i] = frames[EARS * i];
    return read;
}

uint32_t port_audio_lost(void)
{
    return microphone_ring.lost / EARS;
}

const protocol_error_t *port_audio_fault(void)
{
    if (!microphone_running)
        return NULL;
    if (microphone_dma_failed)
        return &error_microphone_dma;
    return dma_ring_fault(&microphone_ring, port_ticks(), port_tick_hz, EARS * BOARD_MICROPHONE_RATE);
}

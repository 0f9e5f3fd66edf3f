/* SPDX-License-Identifier: Apache-2.0 */
/* 39 MHz from the crystal, multiplied by the DPLL to a frequency of which the serial rates and the
 * microphone's are whole parts: 39 MHz * 3072 / 1625 = 73.728 MHz. */
#include "port/efr32/efr32.h"
#include "port/port.h"
#include "port/register.h"

_Static_assert((uint64_t)BOARD_CRYSTAL_HZ *(BOARD_DPLL_N + 1) ==
                   (uint64_t)BOARD_CLOCK_HZ * (BOARD_DPLL_M + 1),
               "clock_hz is not crystal_hz * (dpll_n + 1) / (dpll_m + 1)");
_Static_assert(BOARD_DPLL_N > 300 && BOARD_DPLL_N <= 4095 && BOARD_DPLL_M <= 4095, "the DPLL's limits");
_Static_assert(BOARD_CLOCK_HZ >= 72600000 && BOARD_CLOCK_HZ <= 80000000, "HFRCO_BAND is of these");

/* HFXO0 */
#define HFXO_XTALCFG  (EFR32_HFXO0 + 0x10)
#define HFXO_XTALCTRL (EFR32_HFXO0 + 0x18)
#define HFXO_CFG      (EFR32_HFXO0 + 0x20)
#define HFXO_CTRL     (EFR32_HFXO0 + 0x28)
#define HFXO_STATUS   (EFR32_HFXO0 + 0x58)
#define HFXO_LOCK     (EFR32_HFXO0 + 0x80)

#define HFXO_KEY           0x580Eu
#define HFXO_STARTING      0x0BC00820u         /* XTALCFG: time-outs 0xB and 0xC, bias 32 and 32 at start */
#define HFXO_TUNING        0x0FE00100u         /* a word of the user's flash page; 0xFFFF: not set */
#define HFXO_TUNED         140u                /* of this kit's crystal */
#define HFXO_TUNE_XO       40u                 /* the chip's two sides differ by so much */
#define XTALCTRL_FIXED     (60u | 3u << 24)    /* bias, fixed load on both sides */
#define CFG_MODE           3u                  /* 0: a crystal */
#define CTRL_GROUNDED      (1u << 4 | 1u << 5) /* FORCEXI2GNDANA, FORCEXO2GNDANA */
#define CTRL_FORCEEN       (1u << 16)
#define CTRL_DISONDEMAND   (1u << 24)
#define CTRL_DISONDEMANDBO (1u << 26)
#define STATUS_READY       (1u << 0 | 1u << 1 | 1u << 16) /* RDY, COREBIASOPTRDY, ENS */
#define STATUS_RUNS        (1u << 16 | 1u << 30)          /* ENS, SYNCBUSY */

/* DPLL0 and the oscillator it steers */
#define HFRCO_CAL    (EFR32_HFRCO0 + 0x08)
#define HFRCO_STATUS (EFR32_HFRCO0 + 0x0C)
#define DPLL_EN      (EFR32_DPLL0 + 0x04)
#define DPLL_CFG     (EFR32_DPLL0 + 0x08)
#define DPLL_CFG1    (EFR32_DPLL0 + 0x0C)
#define DPLL_IF      (EFR32_DPLL0 + 0x10)

#define HFRCO_BUSY       (1u << 1 | 1u << 2)     /* FREQBSY, SYNCBUSY */
#define HFRCO_BAND       0xCCF09F00u             /* 72.6 to 80 MHz */
#define HFRCO_CALIBRATED (EFR32_DEVINFO + 0x098) /* the chip's own tuning in that band, in its low 7 bits */
#define DPLL_DISABLING   (1u << 1)
#define DPLL_PLL         (1u << 0 | 1u << 2) /* phase lock, recovers by itself */
#define DPLL_FLAGS       7u                  /* LOCK, and the two ways to fail */
#define DPLL_LOCKED      1u

/* MSC: the flash, one wait state from 40 to 80 MHz; it starts with two. */
#define MSC_READCTRL (EFR32_MSC + 0x04)
#define MSC_LOCK     (EFR32_MSC + 0x3C)
#define MSC_KEY      0x1B71u
#define READCTRL_1WS (1u << 20)
#define READCTRL_2WS (2u << 20)

#define SYSCLK_FSRCO   1u
#define SYSCLK_HFRCO   2u
#define SYSCLK_HALVES  (1u << 10 | 1u << 16) /* PCLK, 50 MHz at most; radio, 40 MHz at most */
#define REFERENCE_HFXO 1u
#define EM01GRPC_HFRCO 1u

static void need(bool done, const protocol_error_t *error)
{
    if (!done)
        port_fail(error);
}

static uint32_t tuning(void)
{
    const uint32_t own = register_read(HFXO_TUNING) & 0xFFFF;
    const uint32_t xi = own == 0xFFFF ? HFXO_TUNED : own & 0xFF;
    const uint32_t xo = xi + HFXO_TUNE_XO > 0xFF ? 0xFF : xi + HFXO_TUNE_XO;
    return xi << 8 | xo << 16;
}

/* On for good: it is not left to those who ask for it. */
static void crystal_start(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_HFXO0);
    register_write(HFXO_LOCK, HFXO_KEY);
    register_write(EFR32_SET(HFXO_CTRL), CTRL_DISONDEMAND | CTRL_DISONDEMANDBO);
    register_write(EFR32_CLEAR(HFXO_CTRL), CTRL_FORCEEN);
    need(register_wait(HFXO_STATUS, STATUS_RUNS, 0), &error_crystal_stop);
    register_write(HFXO_XTALCFG, HFXO_STARTING);
    register_write(HFXO_XTALCTRL, XTALCTRL_FIXED | tuning());
    register_write(EFR32_CLEAR(HFXO_CFG), CFG_MODE);
    register_write(EFR32_CLEAR(HFXO_CTRL), CTRL_DISONDEMAND | CTRL_GROUNDED);
    register_write(EFR32_SET(HFXO_CTRL), CTRL_FORCEEN);
    need(register_wait(HFXO_STATUS, STATUS_READY, STATUS_READY), &error_crystal_start);
}

static void pll_start(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_DPLL0 | CLKEN0_HFRCO0);
    register_write(EFR32_CLEAR(DPLL_EN), 1);
    need(register_wait(DPLL_EN, DPLL_DISABLING, 0), &error_pll_stop);
    need(register_wait(HFRCO_STATUS, HFRCO_BUSY, 0), &error_oscillator);
    register_write(HFRCO_CAL, HFRCO_BAND | (register_read(HFRCO_CALIBRATED) & 0x7F));
    register_write(DPLL_CFG1, BOARD_DPLL_N << 16 | BOARD_DPLL_M);
    register_write(CMU_DPLLREFCLKCTRL, REFERENCE_HFXO);
    register_write(DPLL_CFG, DPLL_PLL);
    register_write(EFR32_CLEAR(DPLL_IF), DPLL_FLAGS);
    register_write(EFR32_SET(DPLL_EN), 1);
    need(register_wait(DPLL_IF, DPLL_FLAGS, DPLL_LOCKED), &error_pll_lock);
}

/* Slower flash and peripherals first, then the faster clock. */
static void clock_switch(void)
{
    register_write(EFR32_SET(CMU_CLKEN1), CLKEN1_MSC);
    register_write(MSC_LOCK, MSC_KEY);
    register_write(EFR32_SET(MSC_READCTRL), READCTRL_1WS); /* three for a moment, never none */
    register_write(EFR32_CLEAR(MSC_READCTRL), READCTRL_2WS);
    register_write(MSC_LOCK, 0);
    register_write(CMU_SYSCLKCTRL, SYSCLK_FSRCO | SYSCLK_HALVES);
    register_write(CMU_SYSCLKCTRL, SYSCLK_HFRCO | SYSCLK_HALVES);
    register_write(CMU_EM01GRPCCLKCTRL, EM01GRPC_HFRCO);
}

void clock_start(void)
{
    crystal_start();
    pll_start();
    clock_switch();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The supplies, and what the chip does of itself when one of them or the core fails. */
#include "port/efr32/efr32.h"
#include "port/register.h"

#define EMU_BOD3SENSE      (EFR32_EMU + 0x20)
#define EMU_VREGVDDCMPCTRL (EFR32_EMU + 0x3C)
#define EMU_RSTCTRL        (EFR32_EMU + 0x90)

#define DCDC_CTRL   (EFR32_DCDC + 0x04)
#define DCDC_IF     (EFR32_DCDC + 0x28)
#define DCDC_STATUS (EFR32_DCDC + 0x30)
#define DCDC_LOCK   (EFR32_DCDC + 0x40)

#define BOD_AVDD_IOVDD   (1u << 0 | 1u << 1) /* in BOD3SENSE */
#define RESET_LOCKUP     (1u << 3)           /* in RSTCTRL, which starts without these three */
#define RESET_AVDD_IOVDD (1u << 6 | 1u << 7)
#define COMPARATOR_2V3   (1u << 0 | 3u << 1)
#define DCDC_KEY         0xABCDu
#define CTRL_REGULATES   (1u << 0) /* MODE; 0: the supply goes round the converter */
#define IF_REGULATION    (1u << 5)
#define STATUS_VREGIN    (1u << 3) /* its supply is too low */

void lockup_resets(void)
{
    register_write(EFR32_SET(EMU_RSTCTRL), RESET_LOCKUP);
}

/* As the chip's maker starts it; its other registers are right as they are. One that does not come up is
 * switched out again: the image runs, and takes more current. */
static void dcdc_start(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_DCDC);
    register_write(DCDC_LOCK, DCDC_KEY);
    register_write(EMU_VREGVDDCMPCTRL, COMPARATOR_2V3);
    if (register_wait(DCDC_STATUS, STATUS_VREGIN, 0)) {
        register_write(EFR32_CLEAR(DCDC_IF), IF_REGULATION);
        register_write(EFR32_SET(DCDC_CTRL), CTRL_REGULATES);
        if (!register_wait(DCDC_IF, IF_REGULATION, IF_REGULATION))
            register_write(EFR32_CLEAR(DCDC_CTRL), CTRL_REGULATES);
    }
    register_write(DCDC_LOCK, 0);
}

/* The brown-out detectors settle while the converter starts, and reset from then on. */
void power_start(void)
{
    register_write(EFR32_SET(EMU_BOD3SENSE), BOD_AVDD_IOVDD);
    if (BOARD_DCDC)
        dcdc_start();
    register_write(EFR32_SET(EMU_RSTCTRL), RESET_AVDD_IOVDD);
}

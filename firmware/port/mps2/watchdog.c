/* CMSDK APB watchdog: counts down and, at its end, asks with an NMI; at the next end it resets. */
#include "port/cortex_m/cortex_m.h"
#include "port/mps2/mps2.h"
#include "port/port.h"

typedef struct {
    volatile uint32_t load, value, control, intclr, ris, mis, unused[762], lock;
} watchdog_registers_t;

_Static_assert(offsetof(watchdog_registers_t, lock) == 0xC00, "the manual says so");

#define WATCHDOG ((watchdog_registers_t *)BOARD_WATCHDOG_BASE)

#define CONTROL_INTERRUPT (1u << 0)
#define CONTROL_RESET     (1u << 1)
#define LOCK_KEY          0x1ACCE551u

/* The emulator's time may be the computer's, which may be busy with other things. */
#define SECONDS 30u

void watchdog_start(void)
{
    WATCHDOG->lock = LOCK_KEY;
    WATCHDOG->load = SECONDS * BOARD_CLOCK_HZ;
    WATCHDOG->control = CONTROL_INTERRUPT | CONTROL_RESET;
    WATCHDOG->lock = 0;
}

void port_alive(void)
{
    WATCHDOG->lock = LOCK_KEY;
    WATCHDOG->intclr = 1; /* loads the counter anew */
    WATCHDOG->lock = 0;
}

/* Neither board's register of causes is in its emulator: what is not remembered was the power. */
const char *reset_cause_of_chip(void)
{
    return RESET_POWER;
}

/* Starting anew, and remembering why. */
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

#define AIRCR_RESET 0x05FA0004u /* the key and SYSRESETREQ */
#define FAULT       0x46415554u /* no memory holds this and its complement by chance */

/* In memory that a reset leaves alone. */
static struct {
    uint32_t note, complement;
} reset_note __attribute__((section(".noinit")));

static const char *reset_cause;

_Noreturn void reset_after_fault(void)
{
    reset_note.note = FAULT;
    reset_note.complement = ~FAULT;
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_RESET;
    __asm volatile("dsb" ::: "memory");
    halt();
}

const char *port_reset_cause(void)
{
    if (reset_cause == NULL) {
        reset_cause = reset_cause_of_chip();
        if (reset_note.note == FAULT && reset_note.complement == ~FAULT)
            reset_cause = RESET_FAULT;
        reset_note.note = 0;
    }
    return reset_cause;
}

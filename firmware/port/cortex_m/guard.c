/* SPDX-License-Identifier: Apache-2.0 */
/* The stack must not grow over what lies below it. Registers: Armv7-M manual, DDI 0403E, B3.5 (MPU);
 * Armv8-M manual, DDI 0553B, B3.21 (stack limit). */
#include "port/cortex_m/cortex_m.h"

extern uint8_t _stack_bottom[], _stack_top[];

#define CFSR_MSTKERR   (1u << 4)  /* the frame of an exception found no place */
#define CFSR_DACCVIOL  (1u << 1)  /* data access against the MPU */
#define CFSR_STKERR    (1u << 12) /* like MSTKERR, from the bus */
#define CFSR_STKOF     (1u << 20) /* Armv8-M: below the limit */
#define CFSR_MMARVALID (1u << 7)

#if __ARM_ARCH >= 8

void guard_start(void)
{
    __asm volatile("msr msplim, %0" ::"r"(_stack_bottom));
}

static bool touched(void)
{
    return SCB_CFSR & CFSR_STKOF;
}

#else

#define MPU_TYPE CORTEX_M_REGISTER(0xE000ED90)
#define MPU_CTRL CORTEX_M_REGISTER(0xE000ED94)
#define MPU_RNR  CORTEX_M_REGISTER(0xE000ED98)
#define MPU_RBAR CORTEX_M_REGISTER(0xE000ED9C)
#define MPU_RASR CORTEX_M_REGISTER(0xE000EDA0)

#define CTRL_ON      (1u << 0)
#define CTRL_DEFAULT (1u << 2) /* what no region covers is as without MPU */
#define RASR_ON      (1u << 0)
#define RASR_SIZE    (7u << 1) /* 2^(7 + 1) bytes; no access for anybody: AP = 0 */
#define RASR_NEVER   (1u << 28)

_Static_assert(STACK_GUARD == 256, "RASR_SIZE says so");

void guard_start(void)
{
    const uint32_t type = MPU_TYPE;
    if (type == 0)
        return; /* a core without MPU: below the stack's bottom the RAM ends, which faults too */
    for (uint32_t region = (type >> 8 & 0xFF) - 1; region > 0; region--) {
        MPU_RNR = region; /* a bootloader may have left its own */
        MPU_RASR = 0;
    }
    MPU_RNR = 0;
    MPU_RBAR = (uint32_t)_stack_bottom;
    MPU_RASR = RASR_NEVER | RASR_SIZE | RASR_ON;
    MPU_CTRL = CTRL_DEFAULT | CTRL_ON;
    __asm volatile("dsb\n\tisb");
}

static bool touched(void)
{
    const uint32_t access = CFSR_DACCVIOL | CFSR_MMARVALID;
    return (SCB_CFSR & access) == access && SCB_MMFAR - (uint32_t)_stack_bottom < STACK_GUARD;
}

#endif

bool guard_hit(uint32_t stack_pointer)
{
    const bool unstacked = SCB_CFSR & (CFSR_MSTKERR | CFSR_STKERR);
    return unstacked || touched() || stack_pointer < (uint32_t)_stack_bottom + STACK_GUARD;
}

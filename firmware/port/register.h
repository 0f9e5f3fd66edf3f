/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_REGISTER_H
#define PORT_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

/* Registers of devices. Drivers reach them through these functions alone: on a computer a fake in their place
 * sees every access in its order. */

static inline uint32_t register_read(uint32_t address)
{
    return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void register_write(uint32_t address, uint32_t value)
{
    __asm volatile("" ::: "memory"); /* the compiler moves no access to memory over it */
    *(volatile uint32_t *)(uintptr_t)address = value;
}

/* A write that starts a DMA engine: what was written to memory before is there for it. */
static inline void register_start(uint32_t address, uint32_t value)
{
    __asm volatile("dmb" ::: "memory");
    register_write(address, value);
}

/* An address in memory as a DMA engine takes it. */
static inline uint32_t register_pointer(const volatile void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

#define REGISTER_POLLS 500000u /* at a poll a microsecond and less: above 20 ms */

/* Waits until the bits of `mask` are `value`; false: it took too long. */
static inline bool register_wait(uint32_t address, uint32_t mask, uint32_t value)
{
    for (uint32_t polls = 0; polls < REGISTER_POLLS; polls++)
        if ((register_read(address) & mask) == value)
            return true;
    return false;
}

#endif

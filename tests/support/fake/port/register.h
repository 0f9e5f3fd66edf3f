/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_REGISTER_H
#define PORT_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

/* In place of firmware/port/register.h: every access goes to the fake chip. */

uint32_t register_read(uint32_t address);
void register_write(uint32_t address, uint32_t value);
uint32_t register_pointer(const volatile void *memory);

static inline void register_start(uint32_t address, uint32_t value)
{
    register_write(address, value);
}

#define REGISTER_POLLS 200u

static inline bool register_wait(uint32_t address, uint32_t mask, uint32_t value)
{
    for (uint32_t polls = 0; polls < REGISTER_POLLS; polls++)
        if ((register_read(address) & mask) == value)
            return true;
    return false;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "port/efr32/efr32.h"
#include "port/port.h"
#include "port/register.h"

/* Blocks of the ports A to D; pins 0 to 7 have their mode in MODEL, the others in MODEH. */
#define PORT(pin)  (EFR32_GPIO + 0x30 + 0x30 * ((pin) & 0xFFFF))
#define MODE(pin)  (PORT(pin) + (((pin) >> 16) < 8 ? 0x4 : 0xC))
#define DOUT(pin)  (PORT(pin) + 0x10)
#define SHIFT(pin) (4 * (((pin) >> 16) & 7))

#define MODE_INPUT     1u
#define MODE_PUSH_PULL 4u

static void mode(uint32_t pin, uint32_t mode)
{
    register_write(EFR32_CLEAR(MODE(pin)), (15u & ~mode) << SHIFT(pin));
    register_write(EFR32_SET(MODE(pin)), mode << SHIFT(pin));
}

void pins_start(void)
{
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_GPIO);
}

void pin_level(uint32_t pin, bool high)
{
    register_write(high ? EFR32_SET(DOUT(pin)) : EFR32_CLEAR(DOUT(pin)), 1u << (pin >> 16));
}

void pin_output(uint32_t pin, bool high)
{
    pin_level(pin, high); /* before the direction: no edge that nobody meant */
    mode(pin, MODE_PUSH_PULL);
    pin_level(pin,
              high); /* no change on the chip; Renode 1.16.1 drops a level written before the direction */
}

void pin_input(uint32_t pin)
{
    mode(pin, MODE_INPUT);
}

static uint32_t of_board(port_pin_t pin)
{
    return (uint32_t)pin.port | (uint32_t)pin.number << 16;
}

void port_pin_output(port_pin_t pin, bool high)
{
    pin_output(of_board(pin), high);
}

void port_pin_level(port_pin_t pin, bool high)
{
    pin_level(of_board(pin), high);
}

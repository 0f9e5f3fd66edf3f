/* SPDX-License-Identifier: Apache-2.0 */
#include "port/nrf52/nrf52.h"
#include "port/port.h"
#include "port/register.h"

#define OUTSET(pin)  (NRF52_GPIO + 0x300 * ((pin) >> 5) + 0x508)
#define OUTCLR(pin)  (NRF52_GPIO + 0x300 * ((pin) >> 5) + 0x50C)
#define PIN_CNF(pin) (NRF52_GPIO + 0x300 * ((pin) >> 5) + 0x700 + 4 * ((pin) & 31))

#define CNF_OUTPUT  3u        /* output, the input buffer off */
#define CNF_PULL_UP (3u << 2) /* input */

void pin_level(uint32_t pin, bool high)
{
    register_write(high ? OUTSET(pin) : OUTCLR(pin), 1u << (pin & 31));
}

void pin_output(uint32_t pin, bool high)
{
    pin_level(pin, high); /* before the direction */
    register_write(PIN_CNF(pin), CNF_OUTPUT);
}

void pin_input(uint32_t pin, bool pull_up)
{
    register_write(PIN_CNF(pin), pull_up ? CNF_PULL_UP : 0);
}

static uint32_t of_board(port_pin_t pin)
{
    return (uint32_t)pin.port << 5 | (uint32_t)pin.number;
}

void port_pin_output(port_pin_t pin, bool high)
{
    pin_output(of_board(pin), high);
}

void port_pin_level(port_pin_t pin, bool high)
{
    pin_level(of_board(pin), high);
}

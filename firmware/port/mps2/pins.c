/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of the FPGA's own block, FPGAIO (Arm AN386 and DAI 0505B, "FPGA system control and I/O"): port 0 of
 * board.toml is its LEDs, port 1 its register MISC, whose bits are wired to the display, the converter and
 * the shields. */
#include "port/mps2/mps2.h"
#include "port/port.h"
#include "port/register.h"

#define LED0 (BOARD_FPGAIO_BASE + 0x00)
#define MISC (BOARD_FPGAIO_BASE + 0x4C)

void port_pin_level(port_pin_t pin, bool high)
{
    const uint32_t address = pin.port == 0 ? LED0 : MISC;
    const uint32_t others = register_read(address) & ~(1u << pin.number);
    register_write(address, others | (uint32_t)high << pin.number);
}

void port_pin_output(port_pin_t pin, bool high)
{
    port_pin_level(pin, high);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the linker script knows about the image. */
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include "port/crc32.h"
#include "port/port.h"

extern const uint8_t image_build_id[], _image_start[];
extern const uint32_t image_checksum[]; /* right after all that it covers */

const char *const port_board = BOARD_NAME;

const uint8_t *port_build_id(void)
{
    return image_build_id;
}

void image_check(void)
{
    if (crc32_update(0, _image_start, (size_t)((const uint8_t *)image_checksum - _image_start)) !=
        image_checksum[0])
        port_fail(&error_image_checksum);
}

uint32_t port_image_crc(void)
{
    return image_checksum[0];
}

size_t port_stack_used(void)
{
    return stack_used();
}

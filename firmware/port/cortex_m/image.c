/* What the linker script knows about the image. */
#include "board.h"
#include "port/cortex_m/cortex_m.h"
#include "port/port.h"

extern const uint8_t image_build_id[];

const char *const port_board = BOARD_NAME;

const uint8_t *port_build_id(void)
{
    return image_build_id;
}

size_t port_stack_used(void)
{
    return stack_used();
}

/* A bare model that does what the first byte of its input says: answers, refuses, dawdles or breaks.
 * The answer: byte i is input[(7 i + 3) mod size] plus the number of runs since reset, this one not counted.
 */
#include "nn/model.h"
#include "port/port.h"
#include <string.h>

static uint32_t runs;

static int start(void)
{
    return START_ERROR;
}

static void reset(void)
{
    runs = 0;
}

/* Overwrites the stack below, page by page, until there is none. */
static uint32_t fall(uint32_t depth)
{
    volatile uint8_t page[256];
    memset((void *)page, (int)depth, sizeof page);
    return depth == UINT32_MAX ? 0 : fall(depth + 1) + page[depth % sizeof page];
}

static int run(const void *input, void *output)
{
    const uint8_t *in = input;
    uint8_t *out = output;
    if (in[0] == 0xE1)
        return 42;
    if (in[0] == 0xE2)
        __builtin_trap();
    if (in[0] == 0xE3)
        out[0] = (uint8_t)fall(0);
    for (uint32_t limit = 2000000000; in[0] == 0xE4 && port_serial_lost() == 0 && limit > 0; limit--) {
    }
    for (size_t i = 0; i < OUTPUT_SIZE; i++)
        out[i] = (uint8_t)(in[(7 * i + 3) % INPUT_SIZE] + runs);
    runs++;
    return 0;
}

const model_t app_model = {
    .name = "wilful",
    .input_size = INPUT_SIZE,
    .output_size = OUTPUT_SIZE,
    .start = start,
    .reset = reset,
    .run = run,
};

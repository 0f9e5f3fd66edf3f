/* SPDX-License-Identifier: Apache-2.0 */
/* A bare model that fails as the first byte of its input says, three calls deep. */
#include "nn/model.h"
#include "port/port.h"
#include <string.h>

#define DEEP __attribute__((noinline, noclone))

static volatile uint32_t faulty_count;

/* Something after every call, so that none becomes a jump. */
DEEP static uint32_t fail_inner(uint32_t how)
{
    volatile uint32_t place[5] = {how};
    void (*volatile nowhere)(void) = 0;
    if (how == 1)
        __asm volatile("udf #1");
    if (how == 2)
        place[1] = *(volatile uint32_t *)0xA0000000;
    if (how == 3)
        nowhere();
    return place[0] + place[1];
}

DEEP static uint32_t fail_middle(uint32_t how, const uint8_t *bytes)
{
    uint8_t copy[60];
    memcpy(copy, bytes, sizeof copy);
    const uint32_t inner = fail_inner(how);
    for (size_t i = 0; i < sizeof copy; i++)
        faulty_count += copy[i] * inner;
    return faulty_count;
}

DEEP static uint32_t fail_outer(uint32_t how, const uint8_t *bytes)
{
    return fail_middle(how, bytes) + faulty_count;
}

DEEP static uint32_t fall_deeper(uint32_t depth)
{
    volatile uint8_t page[256];
    memset((void *)page, (int)depth, sizeof page);
    return depth == UINT32_MAX ? 0 : fall_deeper(depth + 1) + page[depth % sizeof page];
}

static int start(void)
{
    return 0;
}

static void reset(void)
{
    faulty_count = 0;
}

static int run(const void *input, void *output)
{
    const uint8_t *in = input;
    uint8_t *out = output;
    memset(out, 0, OUTPUT_SIZE);
    out[0] = (uint8_t)(in[0] == 4 ? fall_deeper(0) : fail_outer(in[0], in));
    return START_ERROR;
}

const model_t app_model = {
    .name = "faulty",
    .input_size = INPUT_SIZE,
    .output_size = OUTPUT_SIZE,
    .start = start,
    .reset = reset,
    .run = run,
};

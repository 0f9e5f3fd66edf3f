/* SPDX-License-Identifier: Apache-2.0 */
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

#ifdef __arm__
/* Steps backward that port_ticks() makes within `span` of its ticks. */
static uint32_t ticks_backward(uint32_t span)
{
    uint32_t last = port_ticks(), backward = 0;
    for (const uint32_t begin = last; last - begin < span && backward < 1000;) {
        const uint32_t now = port_ticks();
        backward += now - last > UINT32_MAX / 2;
        last = now;
    }
    return backward;
}
#endif

#ifdef __arm__
#define CORE(address) (*(volatile uint32_t *)(uintptr_t)(address))

extern uint32_t _bss_end[];

/* Starts the image again as a bad bootloader might: interrupts masked, all of them enabled and pending, of
 * many priorities, SysTick on and pending, the MPU forbidding to write to any device, and as stacks, limit
 * included, the end of the image's own data. */
static void boot_badly(void)
{
    __asm volatile("cpsid i");
    for (uint32_t i = 0; i < 60; i++)
        CORE(0xE000E400 + 4 * i) = 0xE0A06020u + i;
    for (uint32_t i = 0; i < 3; i++)
        CORE(0xE000ED18 + 4 * i) = 0xE0A06020u;
    CORE(0xE000ED10) = 4;        /* deep sleep */
    CORE(0xE000ED14) |= 1u << 3; /* no word at an odd address */
    for (uint32_t i = 0; i < 8; i++) {
        CORE(0xE000E100 + 4 * i) = UINT32_MAX;
        CORE(0xE000E200 + 4 * i) = UINT32_MAX;
    }
    CORE(0xE000E014) = 1000;
    CORE(0xE000E010) = 7;
    CORE(0xE000ED04) = 1u << 28 | 1u << 26; /* PendSV, SysTick */
    CORE(0xE000ED98) = 7;
#if __ARM_ARCH >= 8
    CORE(0xE000ED9C) = 0x40000000 | 2u << 1 | 1; /* read-only */
    CORE(0xE000EDA0) = 0x5FFFFFE0 | 1;
#else
    CORE(0xE000ED9C) = 0x40000000;
    CORE(0xE000EDA0) = 5u << 24 | 28u << 1 | 1; /* 512 MB, read-only */
#endif
    CORE(0xE000ED94) = 5;
    const uint32_t *vectors = (const uint32_t *)(uintptr_t)CORE(0xE000ED08);
    CORE(0xE000ED08) = 0x20000000; /* where there is no vector table */
    __asm volatile("dsb\n\t"
                   "isb\n\t"
                   "msr psp, %0\n\t"
                   "msr msp, %0\n\t"
                   "msr basepri, %2\n\t"
#if __ARM_ARCH >= 8
                   "msr msplim, %0\n\t"
                   "msr psplim, %0\n\t"
#endif
                   "msr control, %3\n\t" /* by the second stack pointer */
                   "isb\n\t"
                   "bx %1" ::"r"(_bss_end),
                   "r"(vectors[1]), "r"(0x20), "r"(2)
                   : "memory");
}
#endif

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
    while (in[0] == 0xE7)
        __asm volatile(""); /* for ever */
    if (in[0] == 0xE8)
        *(volatile uint32_t *)(uintptr_t)0xA0000000 = 1; /* nothing lies there */
    if (in[0] == 0xE5) {
        port_write("\n", 1); /* its interrupt comes at once, so this sleep must not last */
        const uint32_t begin = port_ticks();
        port_sleep();
        const uint32_t slept = port_ticks() - begin;
        memcpy(out, &slept, sizeof slept);
        return 0;
    }
#ifdef __arm__
    if (in[0] == 0xE9)
        boot_badly();
    if (in[0] == 0xE6) {
        const uint32_t open = ticks_backward(3 << 24); /* three rounds of SysTick */
        __asm volatile("cpsid i");
        const uint32_t masked = ticks_backward(1 << 24); /* one whose interrupt has to wait */
        __asm volatile("cpsie i");
        memcpy(out, &open, sizeof open);
        memcpy(out + 4, &masked, sizeof masked);
        return 0;
    }
#endif
    for (uint32_t limit = 2000000000; in[0] == 0xE4 && port_serial_lost() == 0 && limit > 0; limit--) {
    }
    for (size_t i = 0; i < OUTPUT_SIZE; i++)
        out[i] = (uint8_t)(in[(7 * i + 3) % INPUT_SIZE] + runs);
    runs++;
    return 0;
}

const model_t app_model = {
    .name = "scripted",
    .input_size = INPUT_SIZE,
    .output_size = OUTPUT_SIZE,
    .start = start,
    .reset = reset,
    .run = run,
};

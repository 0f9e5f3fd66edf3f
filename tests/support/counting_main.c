/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of known length between two readings of the counter, and functions of known length. */
#include "counting/counter.h"
#include "port/cortex_m/cortex_m.h"

#ifndef LONG
#define LONG 0
#endif

int main(void);
void hundred(void);
void thousand(void);
void both(void);

/* One instruction of the loop's start, two a round, and the return. */
__attribute__((naked, noinline)) void hundred(void)
{
    __asm volatile("movs r3, #49\n1: subs r3, #1\n\tbne 1b\n\tbx lr" ::: "r3", "cc");
}

__attribute__((naked, noinline)) void thousand(void)
{
    __asm volatile("movw r3, #499\n1: subs r3, #1\n\tbne 1b\n\tbx lr" ::: "r3", "cc");
}

/* push, 1 + 3 calls, pop: 6 of its own. */
__attribute__((naked, noinline)) void both(void)
{
    __asm volatile("push {r4, lr}\n\tbl thousand\n\tbl hundred\n\tbl hundred\n\tnop\n\tpop {r4, pc}");
}

int main(void)
{
    counter_start();
    uint32_t begin = counter_now();
    counter_tell("nothing", counter_now() - begin);

    begin = counter_now();
    __asm volatile("nop");
    counter_tell("one", counter_now() - begin);

    begin = counter_now();
    __asm volatile("movw r3, #499\n1: subs r3, #1\n\tbne 1b\n\tnop" ::: "r3", "cc");
    counter_tell("thousand", counter_now() - begin);

#if LONG /* 2 + 2 * 19,999,999 */
    begin = counter_now();
    __asm volatile("movw r3, #0x2CFF\n\tmovt r3, #0x131\n1: subs r3, #1\n\tbne 1b" ::: "r3", "cc");
    counter_tell("forty million", counter_now() - begin);
#endif

    begin = counter_now();
    both();
    counter_tell("functions", counter_now() - begin);

    begin = counter_now();
    __asm volatile("ldr r3, [sp]\n\tldr r3, [sp]\n\tstr r3, [sp]\n\tnop\n\tldr r3, [sp]\n\t"
                   "push {r0-r2, r4}\n\tpop {r0-r2, r4}\n\tmla r3, r3, r3, r3\n\tudiv r3, r3, r3" ::
                       : "r3");
    counter_tell("timings", counter_now() - begin);

    counter_tell("stack", (uint32_t)stack_used());
    counter_tell("end", 0);
    halt();
}

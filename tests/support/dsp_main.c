/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of dsp/ over words from standard input; a line each: its name and what it gave. */
#include "dsp/dsp.h"
#include "dsp/memory.h"
#include "dsp/product.h"
#include <stdio.h>

static void tell(const char *name, uint64_t result)
{
    printf("%s %08x%08x\n", name, (unsigned)(result >> 32), (unsigned)result);
}

static void tell_word(const char *name, int64_t result)
{
    tell(name, (uint32_t)result);
}

#define WORD(name, ...)     tell_word(#name, dsp_##name(__VA_ARGS__))
#define SIGNED(name, a, b)  WORD(name, (int32_t)(a), (int32_t)(b))
#define SUM(name, a, b, c)  WORD(name, a, b, (int32_t)(c))
#define HIGH(name, a, b, c) WORD(name, (int32_t)(a), (int32_t)(b), (int32_t)(c))

static void arithmetic(uint32_t a, uint32_t b, uint32_t c)
{
    WORD(low, a);
    WORD(high, a);
    SIGNED(pair, a, b);
    WORD(twice, (int32_t)a);
    WORD(lows, a, b);
    WORD(highs, a, b);
    WORD(low_and_high, a, b);
    SIGNED(quotients, a, (int32_t)b >> 2);
    WORD(swap, a);
    WORD(even, a);
    WORD(odd, a);
    WORD(reversed, a);
    WORD(highest_bit, a | 1u);
    WORD(add, a, b);
    WORD(subtract, a, b);
    WORD(add_even, a, b);
    WORD(add_odd, a, b);
    WORD(mean, a, b);
    WORD(half_difference, a, b);
    WORD(add_turned, a, b);
    WORD(subtract_turned, a, b);
    WORD(excess, a, b);
    WORD(at_least, a, b);
    WORD(larger, a, b);
    WORD(smaller, a, b);
    WORD(larger_bytes, a, b);
    WORD(smaller_bytes, a, b);
    WORD(four_times, (int32_t)a);
    SUM(low_low, a, b, c);
    SUM(low_high, a, b, c);
    SUM(high_high, a, b, c);
    SUM(dot, a, b, c);
    WORD(difference, a & 0x7FFF7FFFU, b);
    WORD(cross_difference, a & 0x7FFF7FFFU, b);
    WORD(power, a);
    HIGH(multiply_high, a, b, c);
    WORD(product_high, (int32_t)a, (int32_t)b);
    HIGH(product_off, a, b, c);
    WORD(product_wide, (int32_t)a, (int16_t)b);
    WORD(shifted, (int64_t)((uint64_t)a << 32 | b), 1 + (int32_t)(c % 31));
    HIGH(multiply_add, a, b, c);
    tell("accumulate", dsp_accumulate((uint64_t)c << 32 | b, a, b));
    WORD(saturate, (int32_t)a);
    WORD(saturate, (int32_t)a >> 23);
}

static void tell_values(const char *name, const int16_t *values, size_t count)
{
    printf("%s", name);
    for (size_t i = 0; i < count; i++)
        printf(" %d", values[i]);
    printf("\n");
}

#define VALUES 160

static void memory(void)
{
    static _Alignas(4) int16_t from[VALUES], to[VALUES];
    static uint32_t words[4];
    for (int16_t i = 0; i < VALUES; i++)
        from[i] = (int16_t)(i * 259 - 9000);
    WORD(load_pair, from + 1);
    WORD(load_bytes, (const int8_t *)from + 3);
    for (int32_t count = 0; count <= 5; count++)
        WORD(load_some_bytes, (const int8_t *)from + 1, count);
    dsp_store_pair(to + 1, 0x80017FFEU);
    tell_values("store_pair", to, 4);
    uint32_t first, second;
    const void *next = dsp_load_two(from + 2, &first, &second);
    tell("load_two", (uint64_t)first << 32 | second);
    tell("load_two", (uint64_t)((const int16_t *)next - from));
    tell("store_two", (uint64_t)(dsp_store_two(words + 1, first, second) - words));
    tell_values("store_two", (const int16_t *)words, 8);
    int32_t numbers[4] = {1, -2, 3, -4}, one, two;
    dsp_get_two(numbers + 1, &one, &two);
    dsp_put_two(numbers + 2, two, one);
    const uint64_t number = 0x123456789ABCDEF0U;
    uint64_t copy = 0;
    dsp_put_wide(&copy, dsp_get_wide(&number) + 1);
    printf("put_wide %d\n", copy == number + 1);
    printf("put_two %d %d %d %d\n", (int)numbers[0], (int)numbers[1], (int)numbers[2], (int)numbers[3]);

    for (int32_t kept = 8; kept <= 40; kept += 8) {
        memcpy(to, from, sizeof to);
        dsp_move_columns(to, 6, 50, kept, 3);
        tell_values("move_columns", to, VALUES);
    }
    for (int32_t count = 16; count <= 48; count += 16) {
        memcpy(to, from, sizeof to);
        dsp_move_down(to, to + 4, count);
        tell_values("move_down", to, VALUES);
    }
    memset(to, 0, sizeof to);
    dsp_spread_16(to, from, 34, 4);
    tell_values("spread_16", to, VALUES);
    memset(to, 0, sizeof to);
    dsp_spread_8(to, from, 10, 7);
    tell_values("spread_8", to, VALUES);
}

int main(void)
{
    uint32_t words[3];
    while (fread(words, sizeof words, 1, stdin) == 1)
        arithmetic(words[0], words[1], words[2]);
    memory();
    return 0;
}

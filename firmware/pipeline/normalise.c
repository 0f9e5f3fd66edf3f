/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/normalise.h"

/* The difference has 33 bits, the product 63. */
static int32_t normalised(const normalise_value_t *of, int32_t value)
{
    const int64_t product = ((int64_t)value - of->mean) * of->factor;
    const int64_t found = (product + (INT64_C(1) << (of->shift - 1))) >> of->shift;
    if (found > INT32_MAX)
        return INT32_MAX;
    return found < INT32_MIN ? INT32_MIN : (int32_t)found;
}

void normalise_frame(const normalise_t *normalise, int32_t *values)
{
    for (size_t i = 0; i < normalise->size; i++)
        values[i] = normalised(&normalise->of[i], values[i]);
}

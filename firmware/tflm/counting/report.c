/* SPDX-License-Identifier: Apache-2.0 */
#include "counting/counter.h"
#include "port/cortex_m/cortex_m.h"
#include "tflm/engine.h"

void tflm_report(int error, const char *what)
{
    counter_tell(what, (uint32_t)error);
}

void tflm_halt(const char *what)
{
    tflm_report(TFLM_HALT, what);
    halt();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/infer.h"
#include "device/app.h"
#include "mlperf/benchmark.h"
#include "mlperf/buffer.h"
#include "mlperf/clock.h"
#include "mlperf/command.h"
#include "mlperf/distance.h"
#include "mlperf/energy.h"
#include "mlperf/text.h"
#include "nn/small.h"
#include "port/port.h"

#include "nn/rescale_from_float.h" /* after small.h, which says what a kernel becomes */

#define WARMUPS 10 /* where nobody says how many */

void infer_timestamp(void)
{
    if (benchmark.energy != NULL)
        energy_timestamp();
    else
        text_line("m-lap-us-", (int64_t)clock_micros(), "");
}

/* Floats become what the model takes; anything else lies in its input already. */
static void prepare(void)
{
    if (benchmark.levels == NULL)
        return;
    const rescale_from_float_t quantize = {
        .thresholds = benchmark.levels,
        .count = (int32_t)app.model->input_size,
        .lowest = INT8_MIN,
    };
    rescale_from_float(&quantize, benchmark.received, app.input);
}

/* 0, or the engine's error. */
static int repeat(int32_t times)
{
    int error = 0;
    for (int32_t i = 0; i < times && error == 0; i++) {
        watchdog_feed();
        error = app.model->run(app.input, app.output);
        (void)clock_micros(); /* sees the ticks before they come round again */
    }
    return error;
}

static void measure(int32_t count, int32_t warmups)
{
    prepare();
    text_line("m-warmup-start-", warmups, "");
    int error = repeat(warmups);
    text_put("m-warmup-done\r\n");
    text_line("m-infer-start-", count, "");
    energy_quiet();
    infer_timestamp();
    if (error == 0)
        error = repeat(count);
    infer_timestamp();
    text_put("m-infer-done\r\n");
    if (error == 0)
        infer_results();
    else
        text_line("e-[infer: error of the engine: ", error, "]");
}

void infer_command(const char *count, const char *warmups)
{
    const int32_t measured = *count == '\0' ? 1 : command_number(count);
    const int32_t before = *warmups == '\0' ? WARMUPS : command_number(warmups);
    if (measured <= 0 || before < 0)
        text_put("e-[infer takes a number of inferences, at least 1, and one of warmups]\r\n");
    else if (!buffer_whole())
        text_put("e-[infer: part of the input is missing]\r\n");
    else
        measure(measured, before);
}

void infer_results(void)
{
    const int8_t *output = app.output;
    text_put("m-results-[");
    if (benchmark.levels != NULL) {
        text_thousandths(distance(benchmark.received, output, benchmark.values, benchmark.outputs));
    } else {
        for (size_t i = 0; i < benchmark.outputs; i++) {
            text_put(i > 0 ? "," : "");
            text_thousandths(benchmark.values[output[i] - INT8_MIN]);
        }
    }
    text_put("]\r\n");
}

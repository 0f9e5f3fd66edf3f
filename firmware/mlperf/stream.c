/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/stream.h"
#include "device/app.h"
#include "mlperf/benchmark.h"
#include "mlperf/buffer.h"
#include "mlperf/clock.h"
#include "mlperf/energy.h"
#include "mlperf/infer.h"
#include "mlperf/text.h"
#include "port/port.h"
#include <string.h>

#define BLOCK 64  /* samples taken at once */
#define MOST  128 /* detections kept, the newest */

static struct {
    bool live;
    bool first;           /* no window since `start`: it counts as a detection, from which others are timed */
    uint64_t started;     /* microseconds */
    uint32_t times[MOST]; /* of detections, milliseconds since `start` */
    uint32_t detections;
} stream;

static void empty(void)
{
    static const int16_t silence[BLOCK];
    const pipeline_t *pipeline = app.pipeline;
    pipeline_reset(pipeline);
    for (size_t left = pipeline->window->size - pipeline->window->stride; left > 0;) {
        const size_t count = left < BLOCK ? left : BLOCK;
        left -= pipeline_push(pipeline, silence, count);
    }
    memset(pipeline->frame, 0, pipeline->front_end->size);
    for (size_t i = 1; i < pipeline->cascade->frames; i++)
        cascade_push(pipeline->cascade, pipeline->frame);
}

int stream_start(void)
{
    const int error = pipeline_start(app.pipeline);
    if (error == 0)
        empty();
    return error;
}

/* A window that is full; false: none is. */
static bool decide(step_t *step)
{
    if (!pipeline_features(app.pipeline, step))
        return false;
    step->gate_open = true;
    pipeline_classify(app.pipeline, step);
    return true;
}

static void list(const char *before, const int8_t *values, size_t count)
{
    text_put(before);
    for (size_t i = 0; i < count; i++) {
        text_put(i > 0 ? ", " : "");
        text_number(values[i]);
    }
    text_put("]\r\n");
}

/* The sound that `db` has brought, as far as it makes a window. */
static void extract(void)
{
    step_t step = {0};
    const int16_t *samples = (const int16_t *)(const void *)benchmark.received;
    const size_t count = benchmark.size / sizeof *samples;
    if (stream.live || !buffer_whole() || buffer_filled() == 0) {
        text_put("e-[extract_uart_stream: sound of `db` is wanted, and no `start`]\r\n");
        return;
    }
    for (size_t taken = 0; taken < count;)
        taken += pipeline_push(app.pipeline, samples + taken, count - taken);
    if (!decide(&step) || !step.decided) {
        text_line("e-[extract_uart_stream: error of the engine: ", step.error, "]");
        return;
    }
    list("m-features-[", step.frame, app.pipeline->front_end->size);
    list("m-activations-[", step.scores, benchmark.outputs);
}

static void start(void)
{
    empty();
    stream.live = port_audio_start(app.pipeline->sample_rate);
    if (!stream.live) {
        text_put("e-[start: no microphone with this sample rate]\r\n");
        return;
    }
    stream.first = true;
    stream.detections = 0;
    stream.started = clock_micros();
    infer_timestamp();
    energy_listen();
    text_put("streaming\r\n");
}

static void stop(void)
{
    if (stream.live)
        infer_timestamp();
    text_put(stream.live ? "streaming stopped\r\n" : "not streaming\r\n");
    stream.live = false;
    empty();
}

static void print_detections(void)
{
    text_put("Detection Timestamps (ms)\r\n");
    const uint32_t kept = stream.detections < MOST ? stream.detections : MOST;
    for (uint32_t i = stream.detections - kept; i != stream.detections; i++)
        text_line("", stream.times[i % MOST], ",");
}

bool stream_command(const char *word)
{
    if (strcmp(word, "extract_uart_stream") == 0)
        extract();
    else if (strcmp(word, "start") == 0)
        start();
    else if (strcmp(word, "stop") == 0)
        stop();
    else if (strcmp(word, "print_detections") == 0)
        print_detections();
    else
        return false;
    return true;
}

static bool window_full(void)
{
    const window_t *window = app.pipeline->window;
    return window->state->filled == window->size && !window->state->taken;
}

/* A window that is full. */
static void hear(void)
{
    step_t step;
    energy_processing(true);
    if (decide(&step) && step.decided) {
        if (stream.first || step.scores[0] >= app.pipeline->decision->limits[0]) {
            stream.times[stream.detections++ % MOST] = (uint32_t)((clock_micros() - stream.started) / 1000);
            energy_detected();
        }
        stream.first = false;
    }
    energy_processing(false);
}

bool stream_poll(void)
{
    int16_t samples[BLOCK];
    if (!stream.live)
        return false;
    const size_t count = port_audio_read(samples, BLOCK);
    for (size_t taken = 0; taken < count;) {
        taken += pipeline_push(app.pipeline, samples + taken, count - taken);
        if (window_full())
            hear();
    }
    return count > 0;
}

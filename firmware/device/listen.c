/* SPDX-License-Identifier: Apache-2.0 */
#include "device/listen.h"
#include "device/app.h"
#include "device/capture.h"
#include "device/models.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"

#define BLOCK 64 /* samples taken from the microphone at once: 4 ms at 16 kHz */

/* Seconds; fewer than the ticks of any port wrap in, which is 58 on xg24. */
#define RETRY_LAST 32u /* after a fault the microphone is started anew after 1, 2, 4, ... up to this */
#define HEALED     20u /* of work without a fault: the slowest shows within ten */

static struct {
    enum { SOURCE_NONE, SOURCE_MICROPHONE, SOURCE_LINES } source;
    bool microphone; /* it runs, also while nobody listens */
    bool stages;
    bool failed;           /* the microphone waits for its next start */
    bool healthy;          /* it has worked since the chip started */
    bool host;             /* somebody has sent a line since its last start */
    uint32_t back_off;     /* seconds that it waited last; 0: it works */
    uint32_t since;        /* ticks when it started, or failed */
    uint32_t lost_at_stop; /* port_audio_lost() when listening to the microphone ended */
    uint32_t lost_unheard; /* of it, while nobody listened */
    listen_counts_t counts;
} listen;

bool listen_live(void)
{
    if (!port_audio_start(app.pipeline->sample_rate))
        return false;
    if (!listen_is_live())
        listen.lost_unheard += port_audio_lost() - listen.lost_at_stop;
    listen.microphone = true;
    listen.failed = false;
    listen.since = port_ticks();
    listen.source = SOURCE_MICROPHONE;
    output_set_blocking(false);
    models_reset();
    return true;
}

void listen_replay(void)
{
    if (listen_is_live())
        listen.lost_at_stop = port_audio_lost();
    listen.failed = false;
    listen.source = SOURCE_LINES;
    output_set_blocking(true);
    models_reset();
}

bool listen_is_live(void)
{
    return listen.source == SOURCE_MICROPHONE;
}

bool listen_is_replay(void)
{
    return listen.source == SOURCE_LINES;
}

void listen_set_stages(bool stages)
{
    listen.stages = stages;
}

bool listen_stages(void)
{
    return listen.stages;
}

listen_counts_t listen_counts(void)
{
    listen_counts_t counts = listen.counts;
    counts.lost = (listen_is_live() ? port_audio_lost() : listen.lost_at_stop) - listen.lost_unheard;
    return counts;
}

static bool passed(uint32_t seconds)
{
    return port_ticks() - listen.since >= seconds * port_tick_hz;
}

/* When no start has helped the chip is reset, but not over and over: a microphone that was not heard since
 * such a reset is not there. Nor while a host is at work, which is told and can decide. */
static void back_off(void)
{
    listen.back_off = listen.back_off == 0 ? 1 : 2 * listen.back_off;
    if (listen.back_off <= RETRY_LAST)
        return;
    if (!listen.host && (listen.healthy || port_reset_cause()[0] != 'f')) /* of a fault */
        port_fail(&error_microphone);
    listen.back_off = RETRY_LAST;
}

/* One that gives nothing is reported, and waits for its next start if it was listened to. */
static void check_microphone(void)
{
    const protocol_error_t *const fault = port_audio_fault();
    if (fault == NULL) {
        if (passed(HEALED)) {
            listen.healthy = true;
            listen.back_off = 0;
        }
        return;
    }
    protocol_error(fault, (int32_t)app.pipeline->sample_rate);
    listen.microphone = false;
    if (listen_is_live()) {
        listen.lost_at_stop = port_audio_lost();
        listen.source = SOURCE_NONE;
        output_set_blocking(true);
        back_off();
        listen.failed = true;
        listen.since = port_ticks();
    }
}

void listen_host(void)
{
    listen.host = true;
}

bool listen_poll(void)
{
    int16_t block[BLOCK];
    if (listen.failed && passed(listen.back_off)) {
        listen.host = false;
        listen.counts.restarts++;
        listen_live();
    }
    if (!listen.microphone)
        return false;
    const size_t count = port_audio_read(block, BLOCK);
    if (count == 0) {
        check_microphone();
        return false;
    }
    if (listen_is_live())
        listen_push(block, count);
    return true;
}

void listen_tell(const pipeline_t *pipeline, const step_t *step)
{
    if (listen.stages)
        protocol_stages(pipeline, step);
    if (step->error != 0)
        protocol_error(&error_model, step->error);
    if (step->decided) {
        listen.counts.decisions++;
        protocol_decision(pipeline, step);
    }
}

/* One full window, if there is one. */
static bool step_once(void)
{
    const pipeline_t *pipeline = app.pipeline;
    const uint32_t begin = port_ticks();
    step_t step;
    if (!pipeline_step(pipeline, &step))
        return false;
    listen.counts.windows++;
    listen_tell(pipeline, &step);
    models_step(&step);
    const uint64_t spent = (uint64_t)(port_ticks() - begin) * pipeline->sample_rate;
    if (listen_is_live() && spent > (uint64_t)pipeline->window->stride * port_tick_hz)
        listen.counts.late++;
    return true;
}

void listen_push(const int16_t *samples, size_t count)
{
    if (capture_take(samples, count))
        return;
    for (size_t done = 0; done < count;) {
        done += pipeline_push(app.pipeline, samples + done, count - done);
        while (step_once()) {
        }
    }
}

#include "device/listen.h"
#include "device/app.h"
#include "device/output.h"
#include "device/protocol.h"
#include "port/port.h"

#define BLOCK 64 /* samples taken from the microphone at once: 4 ms at 16 kHz */

static struct {
    enum { SOURCE_NONE, SOURCE_MICROPHONE, SOURCE_LINES } source;
    bool microphone; /* it runs, also while nobody listens */
    bool stages;
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
    listen.source = SOURCE_MICROPHONE;
    output_set_patient(false);
    pipeline_reset(app.pipeline);
    return true;
}

void listen_replay(void)
{
    if (listen_is_live())
        listen.lost_at_stop = port_audio_lost();
    listen.source = SOURCE_LINES;
    output_set_patient(true);
    pipeline_reset(app.pipeline);
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

/* One that gives nothing is told and left alone; `live` tries it again. */
static void check_microphone(void)
{
    const protocol_error_t *const fault = port_audio_fault();
    if (fault == NULL)
        return;
    protocol_error(fault, (int32_t)app.pipeline->sample_rate);
    listen.microphone = false;
    if (listen_is_live()) {
        listen.lost_at_stop = port_audio_lost();
        listen.source = SOURCE_NONE;
        output_set_patient(true);
    }
}

bool listen_poll(void)
{
    int16_t block[BLOCK];
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

/* One full window, if there is one. */
static bool step_once(void)
{
    const pipeline_t *pipeline = app.pipeline;
    const uint32_t begin = port_ticks();
    step_t step;
    if (!pipeline_step(pipeline, &step))
        return false;
    listen.counts.windows++;
    if (listen.stages)
        protocol_stages(pipeline, &step);
    if (step.error != 0)
        protocol_error(&error_model, step.error);
    if (step.decided) {
        listen.counts.decisions++;
        protocol_decision(pipeline, &step);
    }
    const uint64_t spent = (uint64_t)(port_ticks() - begin) * pipeline->sample_rate;
    if (listen_is_live() && spent > (uint64_t)pipeline->window->stride * port_tick_hz)
        listen.counts.late++;
    return true;
}

void listen_push(const int16_t *samples, size_t count)
{
    for (size_t done = 0; done < count;) {
        done += pipeline_push(app.pipeline, samples + done, count - done);
        while (step_once()) {
        }
    }
}

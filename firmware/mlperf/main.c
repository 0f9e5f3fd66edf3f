/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in place of device/main.c in an image for MLPerf Tiny: the model that ships, behind the serial
 * interface of the benchmark's runner. A command gets its lines, and `m-ready` when they are all out. */
#include "device/app.h"
#include "device/idle.h"
#include "device/output.h"
#include "mlperf/benchmark.h"
#include "mlperf/buffer.h"
#include "mlperf/clock.h"
#include "mlperf/command.h"
#include "mlperf/energy.h"
#include "mlperf/infer.h"
#include "mlperf/stream.h"
#include "mlperf/text.h"
#include "port/port.h"
#include <string.h>

#define BLOCK 64 /* bytes taken from the serial line at once */

static command_t command;
static int start_error; /* of the engine; nothing runs the model then */

static void name(void)
{
    text_put("m-name-dut-[");
    text_put(port_board);
    text_put("]\r\n");
}

static void profile(void)
{
    text_put("m-profile-[");
    text_put(benchmark.profile);
    text_put("]\r\nm-model-[");
    text_put(benchmark.model);
    text_put("]\r\n");
}

static void help(void)
{
    text_put("name%         who this is\r\n"
             "profile%      the serial interface, and the task\r\n"
             "timestamp%    microseconds since the start; in the energy mode a pin falls and rises\r\n"
             "db load N%    an input of N bytes begins\r\n"
             "db HEX%       its next bytes, two digits each\r\n"
             "db print N%   its first bytes, 16 without N\r\n"
             "db getptr%    how many have come\r\n"
             "db setptr N%  the next one is byte N\r\n"
             "help%         this\r\n");
    text_put(benchmark.streams
                 ? "extract_uart_stream%  features and scores of the sound that `db` has brought\r\n"
                   "start%        listens to the microphone\r\n"
                   "stop%         no more\r\n"
                   "print_detections%     when the wake word was heard since `start`\r\n"
                 : "infer N W%    W inferences, then N between two timestamps; 1 and 10 without\r\n"
                   "results%      what the last inference found\r\n");
}

static void unknown(const char *word)
{
    text_put("e-[unknown command: ");
    text_put(word);
    text_put("]\r\n");
}

static void obey(const char *word, const char *first, const char *second)
{
    if (*word == '\0')
        return; /* the runner ends what may be left of a damaged command */
    if (strcmp(word, "name") == 0)
        name();
    else if (strcmp(word, "profile") == 0)
        profile();
    else if (strcmp(word, "help") == 0)
        help();
    else if (strcmp(word, "timestamp") == 0)
        infer_timestamp();
    else if (start_error != 0)
        text_line("e-[the engine did not start, error ", start_error, "]");
    else if (strcmp(word, "db") == 0)
        buffer_command(first, second);
    else if (benchmark.streams && stream_command(word))
        return;
    else if (!benchmark.streams && strcmp(word, "infer") == 0)
        infer_command(first, second);
    else if (!benchmark.streams && strcmp(word, "results") == 0)
        infer_results();
    else
        unknown(word);
}

/* The streaming test's driver compares what was received with what it has sent. */
static void echo(const char *const *words)
{
    text_put("Received command: ");
    for (size_t i = 0; i < COMMAND_WORDS && *words[i] != '\0'; i++) {
        text_put(i > 0 ? " " : "");
        text_put(words[i]);
    }
    text_put("\r\n");
}

static void take(uint8_t byte)
{
    const command_event_t event = command_take(&command, byte);
    if (event == COMMAND_MORE)
        return;
    if (benchmark.streams)
        echo(event == COMMAND_COMPLETE ? command.words : (const char *const[COMMAND_WORDS]){"", "", ""});
    if (event == COMMAND_COMPLETE)
        obey(command.words[0], command.words[1], command.words[2]);
    else if (event == COMMAND_TOO_LONG)
        text_line("e-[a command has at most ", (int32_t)command.size - 1, " characters]");
    else
        text_line("e-[a command has at most ", COMMAND_WORDS, " words]");
    text_put("m-ready\r\n");
}

/* Takes what came over the serial line; true when there was something. */
static bool read_commands(void)
{
    uint8_t bytes[BLOCK];
    const size_t count = port_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++)
        take(bytes[i]);
    return count > 0;
}

int main(void)
{
    port_start();
    idle_start();
    output_set_blocking(true);
    command = (command_t){.text = benchmark.command, .size = benchmark.command_size};
    start_error = benchmark.streams ? stream_start() : app.model->start();
    const bool rate = energy_start();
    text_put(benchmark.energy != NULL ? "m-timestamp-mode-energy\r\n" : "m-timestamp-mode-performance\r\n");
    if (!rate)
        text_line("e-[the serial line does not have ", benchmark.energy->baud, " baud]");
    infer_timestamp();
    text_put("m-init-done\r\nm-ready\r\n");
    for (;;) {
        watchdog_feed();
        (void)clock_micros();
        const bool heard = benchmark.streams && stream_poll();
        if (!read_commands() && !heard)
            idle_sleep();
    }
}

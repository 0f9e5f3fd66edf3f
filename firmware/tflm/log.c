/* SPDX-License-Identifier: Apache-2.0 */
/* TFLM's own words become error lines, and its assertions the end. The C library's way to both brings a heap
 * and floating point; only what TFLM writes is understood here: %s %c %d %i %u %x %p, with widths ignored. */
#include "protocol_table.h"
#include "tensorflow/lite/micro/debug_log.h"
#include "tflm/engine.h"
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX (PROTOCOL_REASON_MAX + 1) /* and the zero */

typedef struct {
    char *text;
    size_t size, used;
} log_t;

static void put(log_t *log, char character)
{
    if (log->used + 1 < log->size)
        log->text[log->used] = character;
    log->used++;
}

static void put_text(log_t *log, const char *text)
{
    while (*text != '\0')
        put(log, *text++);
}

static void put_number(log_t *log, unsigned long value, unsigned base)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    while (count > 0)
        put(log, digits[--count]);
}

static void put_signed(log_t *log, long value)
{
    if (value < 0)
        put(log, '-');
    put_number(log, value < 0 ? 0ul - (unsigned long)value : (unsigned long)value, 10);
}

/* Takes what stands between % and the conversion; true: it is long. int and long are 32 bits on every core.
 */
static bool skip_width(const char **format)
{
    bool is_long_long = false;
    while (**format != '\0' && (**format == '-' || **format == '.' || **format == 'z' || **format == 'l' ||
                                (**format >= '0' && **format <= '9'))) {
        is_long_long = (*format)[0] == 'l' && (*format)[1] == 'l' ? true : is_long_long;
        (*format)++;
    }
    return is_long_long;
}

static void convert(log_t *log, const char **format, va_list *arguments)
{
    const bool is_long_long = skip_width(format);
    if (is_long_long) {
        put_signed(log, (long)va_arg(*arguments, long long));
        return;
    }
    switch (**format) {
    case 's':
        put_text(log, va_arg(*arguments, const char *));
        break;
    case 'c':
        put(log, (char)va_arg(*arguments, int));
        break;
    case 'd':
    case 'i':
        put_signed(log, va_arg(*arguments, int));
        break;
    case 'u':
        put_number(log, va_arg(*arguments, unsigned), 10);
        break;
    case 'x':
    case 'X':
        put_number(log, va_arg(*arguments, unsigned), 16);
        break;
    case 'p':
        put_number(log, (unsigned long)(uintptr_t)va_arg(*arguments, void *), 16);
        break;
    case '%':
        put(log, '%');
        break;
    default: /* of an argument of unknown size nothing after it can be read */
        put_text(log, "(?)");
        *format = "?";
        break;
    }
}

int DebugVsnprintf(char *buffer, size_t buf_size, const char *format, va_list vlist)
{
    log_t log = {.text = buffer, .size = buf_size};
    va_list arguments;
    va_copy(arguments, vlist);
    for (; *format != '\0'; format++) {
        if (*format != '%')
            put(&log, *format);
        else if (*++format == '\0')
            break;
        else
            convert(&log, &format, &arguments);
    }
    va_end(arguments);
    if (buf_size > 0)
        buffer[log.used < buf_size ? log.used : buf_size - 1] = '\0';
    return (int)log.used;
}

void DebugLog(const char *format, va_list args)
{
    char line[LOG_MAX];
    DebugVsnprintf(line, sizeof line, format, args);
    for (char *end = line; *end != '\0'; end++) {
        if (*end == '\n' || *end == '\r')
            *end = ' ';
        if (*end == '"' || *end == '\\') /* JSON would make two of it */
            *end = '\'';
    }
    if (strcmp(line, "HALTED") == 0) /* what TFLM says before it stands still */
        tflm_halt(line);
    if (line[0] != '\0')
        tflm_report(TFLM_LOG, line);
}

/* What assert() calls. */
void __assert_func(const char *file, int line, const char *function, const char *expression)
{
    (void)file;
    (void)line;
    (void)function;
    tflm_halt(expression);
}

void abort(void)
{
    tflm_halt("abort");
}

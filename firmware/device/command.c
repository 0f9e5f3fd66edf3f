#include "device/command.h"
#include "device/base64.h"
#include "port/crc32.h"
#include <string.h>

/* A piece of the line. */
typedef struct {
    char *text;
    size_t length;
} span_t;

static bool span_is(span_t span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.text, word, span.length) == 0;
}

/* Cuts the text before the first blank off `rest`, with the blank. */
static span_t cut_first(span_t *rest)
{
    size_t length = 0;
    while (length < rest->length && rest->text[length] != ' ')
        length++;
    const span_t word = {rest->text, length};
    const size_t cut = length < rest->length ? length + 1 : length;
    *rest = (span_t){rest->text + cut, rest->length - cut};
    return word;
}

/* Cuts the text behind the last blank off `rest`, with the blank; empty when there is no blank. */
static span_t cut_last(span_t *rest)
{
    size_t start = rest->length;
    while (start > 0 && rest->text[start - 1] != ' ')
        start--;
    if (start == 0)
        return (span_t){rest->text, 0};
    const span_t word = {rest->text + start, rest->length - start};
    rest->length = start - 1;
    return word;
}

/* Decimal digits only, up to `limit`. */
static bool parse_number(span_t span, uint32_t limit, uint32_t *number)
{
    uint32_t value = 0;
    if (span.length == 0)
        return false;
    for (size_t i = 0; i < span.length; i++) {
        const uint32_t digit = (uint32_t)(uint8_t)span.text[i] - '0';
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

static bool parse_value(span_t span, int32_t *value)
{
    const bool negative = span.length > 0 && span.text[0] == '-';
    const span_t digits = {span.text + negative, span.length - negative};
    uint32_t magnitude;
    if (!parse_number(digits, INT32_MAX, &magnitude))
        return false;
    *value = negative ? -(int32_t)magnitude : (int32_t)magnitude;
    return true;
}

/* Eight lower-case digits: one spelling, so a damaged digit never passes as another case of itself. */
static bool parse_crc(span_t span, uint32_t *crc)
{
    uint32_t value = 0;
    if (span.length != 8)
        return false;
    for (size_t i = 0; i < 8; i++) {
        const uint32_t c = (uint8_t)span.text[i];
        uint32_t digit;
        if (c - '0' <= 9)
            digit = c - '0';
        else if (c - 'a' <= 5)
            digit = c - 'a' + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *crc = value;
    return true;
}

/* "NUMBER BASE64 CRC" behind the word; the checksum covers the line up to the blank before it. */
static payload_fault_t parse_payload(span_t line, span_t rest, command_t *command)
{
    const span_t number = cut_first(&rest);
    const span_t crc = cut_last(&rest);
    uint32_t expected;
    if (!parse_number(number, UINT32_MAX, &command->number) || !parse_crc(crc, &expected))
        return PAYLOAD_FORM;
    if (crc32_update(0, line.text, (size_t)(crc.text - line.text) - 1) != expected)
        return PAYLOAD_CHECKSUM;
    if (rest.length > BASE64_LENGTH(COMMAND_PAYLOAD_MAX) ||
        !base64_decode(rest.text, rest.length, line.text, &command->payload_size))
        return PAYLOAD_TEXT;
    command->payload = (const uint8_t *)line.text;
    return PAYLOAD_GOOD;
}

static void parse_set(span_t rest, command_t *command)
{
    const span_t value = cut_last(&rest); /* the last word: a label may have blanks */
    if (rest.length == 0 || !parse_value(value, &command->value)) {
        command->kind = COMMAND_USAGE;
        command->usage = "set KEY VALUE";
        return;
    }
    command->kind = COMMAND_SET;
    command->key = rest.text;
    command->key_length = rest.length;
}

static void parse_stages(span_t rest, command_t *command)
{
    const bool on = span_is(rest, "on");
    if (!on && !span_is(rest, "off")) {
        command->kind = COMMAND_USAGE;
        command->usage = "stages on|off";
        return;
    }
    command->kind = COMMAND_STAGES;
    command->value = on;
}

void command_parse(char *line, size_t length, command_t *command)
{
    static const struct {
        const char *word;
        command_kind_t kind;
    } plain[] = {
        {"status", COMMAND_STATUS}, {"boot", COMMAND_BOOT},   {"replay", COMMAND_REPLAY},
        {"live", COMMAND_LIVE},     {"reset", COMMAND_RESET},
    };
    *command = (command_t){.kind = COMMAND_NONE};
    if (length == 0)
        return;
    const span_t whole = {line, length};
    span_t rest = whole;
    const span_t word = cut_first(&rest);

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (span_is(word, plain[i].word)) {
            command->kind = length == word.length ? plain[i].kind : COMMAND_USAGE;
            command->usage = plain[i].word;
            return;
        }
    }
    if (span_is(word, "audio") || span_is(word, "tensor")) {
        command->kind = span_is(word, "audio") ? COMMAND_AUDIO : COMMAND_TENSOR;
        command->fault = parse_payload(whole, rest, command);
    } else if (span_is(word, "set")) {
        parse_set(rest, command);
    } else if (span_is(word, "stages")) {
        parse_stages(rest, command);
    } else {
        command->kind = COMMAND_UNKNOWN;
        command->key = word.text;
        command->key_length = word.length;
    }
}

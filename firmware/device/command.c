/* SPDX-License-Identifier: Apache-2.0 */
#include "device/command.h"
#include "device/base64.h"
#include "device/word.h"
#include "port/crc32.h"
#include <string.h>

/* A piece of the line. */
typedef struct {
    char *text;
    size_t length;
} span_t;

static bool span_is(span_t span, const char *word)
{
    return word_is(span.text, span.length, word);
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

/* Cuts the text after the last blank off `rest`, with the blank; empty when there is no blank. */
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

/* "NUMBER BASE64 CRC" after the word; the checksum covers the line up to the blank before it. */
static const protocol_error_t *parse_payload(span_t line, span_t rest, command_t *command)
{
    const span_t number = cut_first(&rest);
    const span_t crc = cut_last(&rest);
    uint32_t expected;
    if (!parse_number(number, UINT32_MAX, &command->number) || !parse_crc(crc, &expected))
        return &error_form;
    if (crc32_update(0, line.text, (size_t)(crc.text - line.text) - 1) != expected)
        return &error_checksum;
    if (rest.length > BASE64_LENGTH(PROTOCOL_PAYLOAD_MAX) ||
        !base64_decode(rest.text, rest.length, line.text, &command->payload_size))
        return &error_payload;
    command->payload = (const uint8_t *)line.text;
    return NULL;
}

/* "KEY VALUE": the value is the last word, for a label may have blanks. */
static bool parse_set(span_t rest, command_t *command)
{
    const span_t value = cut_last(&rest);
    command->key = rest.text;
    command->key_length = rest.length;
    return rest.length > 0 && parse_value(value, &command->value);
}

static bool parse_stages(span_t rest, command_t *command)
{
    command->value = span_is(rest, "on");
    return command->value != 0 || span_is(rest, "off");
}

/* The line is what this usage shows, or begins with its first word. */
static bool begins_with(span_t word, const char *usage)
{
    return word.length <= strlen(usage) && memcmp(word.text, usage, word.length) == 0 &&
           (usage[word.length] == ' ' || usage[word.length] == '\0');
}

void command_parse(char *line, size_t length, command_t *command)
{
    static const struct {
        const char *usage;
        command_kind_t kind;
    } words[] = {
        {USAGE_STATUS, COMMAND_STATUS}, {USAGE_BOOT, COMMAND_BOOT},     {USAGE_SET, COMMAND_SET},
        {USAGE_STAGES, COMMAND_STAGES}, {USAGE_REPLAY, COMMAND_REPLAY}, {USAGE_LIVE, COMMAND_LIVE},
        {USAGE_RESET, COMMAND_RESET},   {USAGE_AUDIO, COMMAND_AUDIO},   {USAGE_TENSOR, COMMAND_TENSOR},
        {USAGE_CYCLES, COMMAND_CYCLES},
    };
    *command = (command_t){.kind = COMMAND_NONE};
    if (length == 0)
        return;
    const span_t whole = {line, length};
    span_t rest = whole;
    const span_t word = cut_first(&rest);

    command->kind = COMMAND_UNKNOWN;
    command->key = word.text;
    command->key_length = word.length;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins_with(word, words[i].usage)) {
            command->kind = words[i].kind;
            command->usage = words[i].usage;
        }
    }
    bool understood = length == word.length; /* a word that stands alone */
    if (command->kind == COMMAND_AUDIO || command->kind == COMMAND_TENSOR) {
        command->fault = parse_payload(whole, rest, command);
        return;
    }
    if (command->kind == COMMAND_SET)
        understood = parse_set(rest, command);
    if (command->kind == COMMAND_STAGES)
        understood = parse_stages(rest, command);
    if (command->kind != COMMAND_UNKNOWN && !understood)
        command->kind = COMMAND_USAGE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf/command.h"

#define END         '%'
#define MOST_DIGITS 9

/* Cuts the text into its words. */
static command_event_t split(command_t *command)
{
    char *text = command->text;
    size_t count = 0, at = 0;
    text[command->used] = '\0';
    for (size_t i = 0; i < COMMAND_WORDS; i++)
        command->words[i] = "";
    for (;;) {
        while (text[at] == ' ')
            text[at++] = '\0';
        if (text[at] == '\0')
            return COMMAND_COMPLETE;
        if (count == COMMAND_WORDS)
            return COMMAND_TOO_MANY;
        command->words[count++] = text + at;
        while (text[at] != ' ' && text[at] != '\0')
            at++;
    }
}

command_event_t command_take(command_t *command, uint8_t byte)
{
    if (byte == END) {
        const command_event_t event = command->too_long ? COMMAND_TOO_LONG : split(command);
        command->used = 0;
        command->too_long = false;
        return event;
    }
    if (byte == '\r' || byte == '\n')
        return COMMAND_MORE;
    if (command->used + 1 == command->size)
        command->too_long = true;
    else /* a NUL would end the text */
        command->text[command->used++] = byte < ' ' || byte > '~' ? '?' : (char)byte;
    return COMMAND_MORE;
}

int32_t command_number(const char *word)
{
    int32_t value = 0;
    size_t digits = 0;
    for (; word[digits] >= '0' && word[digits] <= '9'; digits++) {
        if (digits == MOST_DIGITS)
            return -1;
        value = 10 * value + (word[digits] - '0');
    }
    return digits == 0 || word[digits] != '\0' ? -1 : value;
}

static int32_t digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    const int32_t letter = (character | ' ') - 'a';
    return letter >= 0 && letter < 6 ? 10 + letter : -1;
}

int32_t command_byte(const char *digits)
{
    const int32_t high = digit(digits[0]);
    const int32_t low = high < 0 ? -1 : digit(digits[1]);
    return low < 0 ? -1 : 16 * high + low;
}

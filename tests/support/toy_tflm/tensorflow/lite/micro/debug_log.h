/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_DEBUG_LOG_H
#define TOY_DEBUG_LOG_H

#include <stdarg.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
void DebugLog(const char *format, va_list args);
int DebugVsnprintf(char *buffer, size_t buf_size, const char *format, va_list vlist);
#ifdef __cplusplus
}
#endif

#endif

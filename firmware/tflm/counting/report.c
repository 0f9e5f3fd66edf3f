#include "counting/counter.h"
#include "tflm/engine.h"

void tflm_report(int error, const char *what)
{
    counter_tell(what, (uint32_t)error);
}

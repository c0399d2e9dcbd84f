// SPDX-License-Identifier: Apache-2.0
/* MXCSR on x86, FPCR on ARM: nearest, denormals kept, no traps. */
#include "base/math.h"

#if defined(__x86_64__)

math_environment math_environment_enter(void) {
    const uint32_t defaults = 0x1F80u;
    uint32_t old = __builtin_ia32_stmxcsr();
    if ((old & 0xFFC0u) != defaults) __builtin_ia32_ldmxcsr(defaults);
    return (math_environment){ old };
}

void math_environment_leave(math_environment environment) {
    uint32_t now = __builtin_ia32_stmxcsr();
    if ((now & 0xFFC0u) != (environment.saved & 0xFFC0u)) __builtin_ia32_ldmxcsr((uint32_t)environment.saved);
}

#elif defined(__aarch64__)

math_environment math_environment_enter(void) {
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    if (old != 0) __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return (math_environment){ old };
}

void math_environment_leave(math_environment environment) {
    if (environment.saved != 0) __asm__ volatile("msr fpcr, %0" : : "r"(environment.saved));
}

#else

math_environment math_environment_enter(void) { return (math_environment){ 0 }; }
void math_environment_leave(math_environment environment) { (void)environment; }

#endif

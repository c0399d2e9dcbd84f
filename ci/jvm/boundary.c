// SPDX-License-Identifier: Apache-2.0
/*
 * What the thread sanitizer can't see: that a call of the library which began after another one had ended came after
 * it. Java orders its calls by means of its own, in code that nobody instrumented, so that a model which one thread
 * loads and another one uses would be called a race. So every outermost call acquires what all calls before it released
 * when they ended. Calls that overlap are not ordered, and what they do to the same memory is seen.
 *
 * Loaded before the library (LD_PRELOAD); the library's api/ is compiled with -finstrument-functions.
 */
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

static char boundary;
static _Thread_local unsigned depth;

void __cyg_profile_func_enter(void *function, void *caller) {
    (void)function, (void)caller;
    if (depth++ == 0) __tsan_acquire(&boundary);
}

void __cyg_profile_func_exit(void *function, void *caller) {
    (void)function, (void)caller;
    if (--depth == 0) __tsan_release(&boundary);
}

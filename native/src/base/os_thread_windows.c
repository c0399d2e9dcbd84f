// SPDX-License-Identifier: Apache-2.0
#include <process.h>
#include <string.h>

#include "base/os.h"
#include "base/os_windows.h"

typedef struct thread_start {
    void (*body)(void *context);
    void *context;
} thread_start;

static unsigned __stdcall thread_main(void *argument) {
    thread_start start = *(thread_start *)argument;
    os_heap_free(argument);
    start.body(start.context);
    return 0;
}

bool os_thread_start(os_thread *thread, void (*body)(void *context), void *context) {
    thread_start *start = os_heap_new(sizeof *start, 16);
    if (!start) return false;
    *start = (thread_start){ body, context };
    thread->handle = (uintptr_t)_beginthreadex(NULL, 0, thread_main, start, 0, NULL);
    if (thread->handle == 0) os_heap_free(start);
    return thread->handle != 0;
}

void os_thread_join(os_thread thread) {
    WaitForSingleObject((HANDLE)thread.handle, INFINITE);
    CloseHandle((HANDLE)thread.handle);
}

/* WaitOnAddress lives in a library of its own that not every tool chain has an import file for: it is asked for by
   name. It is there from Windows 8 on; without it a millisecond's sleep still ends every wait. */
typedef BOOL(WINAPI *wait_function)(volatile void *, void *, SIZE_T, DWORD);
typedef void(WINAPI *wake_function)(void *);
static wait_function wait_on_address;
static wake_function wake_by_address;

__attribute__((constructor)) static void find_waiting(void) {
    HMODULE library = LoadLibraryExW(L"api-ms-win-core-synch-l1-2-0.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!library) library = LoadLibraryExW(L"kernelbase.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!library) return;
    FARPROC wait = GetProcAddress(library, "WaitOnAddress"), wake = GetProcAddress(library, "WakeByAddressAll");
    if (!wait || !wake) return;
    memcpy(&wait_on_address, &wait, sizeof wait);
    memcpy(&wake_by_address, &wake, sizeof wake);
}

void os_wait(_Atomic uint32_t *word, uint32_t expected) {
    if (wait_on_address) wait_on_address((volatile void *)word, &expected, sizeof expected, INFINITE);
    else if (atomic_load(word) == expected) Sleep(1);
}

void os_wake_all(_Atomic uint32_t *word) {
    if (wake_by_address) wake_by_address((void *)word);
}

uint32_t os_affinity(uint64_t mask[OS_MASK_WORDS]) {
    DWORD_PTR process = 0, system = 0;
    memset(mask, 0, OS_MASK_WORDS * sizeof *mask);
    /* With several processor groups the masks are 0: then all processors count. */
    if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &system)) process = 0;
    if (process != 0) {
        mask[0] = process;
        return (uint32_t)__builtin_popcountll(process);
    }
    DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    if (count < 1) count = 1;
    if (count > OS_MASK_WORDS * 64) count = OS_MASK_WORDS * 64;
    for (DWORD i = 0; i < count; i++) mask[i / 64] |= UINT64_C(1) << (i % 64);
    return count;
}

uint32_t os_physical_cores(void) {
    uint64_t mask[OS_MASK_WORDS];
    uint32_t processors = os_affinity(mask), cores = 0;
    DWORD bytes = 0;
    GetLogicalProcessorInformationEx(RelationProcessorCore, NULL, &bytes);
    uint8_t *list = bytes ? os_heap_new(bytes, 16) : NULL;
    if (list && GetLogicalProcessorInformationEx(RelationProcessorCore, (void *)list, &bytes)) {
        for (DWORD at = 0; at < bytes;) {
            const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *core = (const void *)(list + at);
            const GROUP_AFFINITY *group = &core->Processor.GroupMask[0];
            if (processors > 64 || group->Group != 0 || (group->Mask & mask[0]) != 0) cores++;
            at += core->Size;
        }
    }
    os_heap_free(list);
    return cores ? cores : processors;
}

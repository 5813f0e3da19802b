/* Tells the thread sanitizer what a mutex of Swift's Synchronization does when two threads meet at
 * it. The way without contention is compiled into the program, where the sanitizer sees it; the
 * other one is a call into the runtime's library, which it does not see, so that what the mutex
 * guards would be taken for a race. Loaded by LD_PRELOAD; both calls still do what they did. */
#include <dlfcn.h>
#include <stdint.h>

__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void lock_function(uint32_t thread, SELF void *mutex);
typedef SWIFT void unlock_function(SELF void *mutex);

#define LOCK_SLOWLY "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOWLY "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slowly(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOWLY);
SWIFT void unlock_slowly(SELF void *mutex) __asm__(UNLOCK_SLOWLY);

SWIFT void lock_slowly(uint32_t thread, SELF void *mutex) {
    lock_function *lock = (lock_function *)dlsym(RTLD_NEXT, LOCK_SLOWLY);
    lock(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slowly(SELF void *mutex) {
    unlock_function *unlock = (unlock_function *)dlsym(RTLD_NEXT, UNLOCK_SLOWLY);
    if (__tsan_release) __tsan_release(mutex);
    unlock(mutex);
}

#define _GNU_SOURCE
#include "CConclaveLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static int result(int value) { return value < 0 ? -errno : value; }

/* Clocks. */

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t conclave_linux_boot_time(void) { return nanoseconds(CLOCK_BOOTTIME); }

uint64_t conclave_linux_wall_time(void) { return nanoseconds(CLOCK_REALTIME) / 1000; }

int conclave_linux_wall_clock_is_steered(void) {
    struct timex state = {0};
    int status = adjtimex(&state);
    return status < 0 ? -errno : status != TIME_ERROR;
}

const char *conclave_linux_error_text(int number) {
    const char *text = strerrordesc_np(number);
    return text ? text : "unknown error";
}

/* Polling. */

_Static_assert(CONCLAVE_LINUX_READABLE == (int)EPOLLIN, "EPOLLIN");
_Static_assert(CONCLAVE_LINUX_WRITABLE == (int)EPOLLOUT, "EPOLLOUT");
_Static_assert(CONCLAVE_LINUX_ERROR == (int)EPOLLERR, "EPOLLERR");
_Static_assert(CONCLAVE_LINUX_HANG_UP == (int)EPOLLHUP, "EPOLLHUP");
_Static_assert(CONCLAVE_LINUX_PEER_CLOSED == (int)EPOLLRDHUP, "EPOLLRDHUP");

int conclave_linux_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int conclave_linux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int conclave_linux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return result(epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event));
}

int conclave_linux_epoll_remove(int epoll, int descriptor) {
    return result(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL));
}

int conclave_linux_epoll_wait(int epoll, struct conclave_linux_event *events, int count,
                              int timeout_milliseconds) {
    struct epoll_event batch[CONCLAVE_LINUX_EVENT_BATCH];
    if (count > CONCLAVE_LINUX_EVENT_BATCH) count = CONCLAVE_LINUX_EVENT_BATCH;
    int ready = epoll_wait(epoll, batch, count, timeout_milliseconds);
    if (ready < 0) return -errno;
    for (int index = 0; index < ready; index++) {
        events[index].events = batch[index].events;
        events[index].tag = batch[index].data.u64;
    }
    return ready;
}

int conclave_linux_timer_create(void) {
    return result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
}

int conclave_linux_timer_set(int timer, uint64_t expiry) {
    struct itimerspec setting = {
        .it_value = {.tv_sec = (time_t)(expiry / 1000000000u),
                     .tv_nsec = (long)(expiry % 1000000000u)},
    };
    return result(timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL));
}

int conclave_linux_timer_clear(int timer) {
    uint64_t expirations;
    return read(timer, &expirations, sizeof expirations) < 0 ? -errno : 0;
}

int conclave_linux_event_create(int blocking) {
    return result(eventfd(0, EFD_CLOEXEC | (blocking ? 0 : EFD_NONBLOCK)));
}

int conclave_linux_event_signal(int event) {
    uint64_t one = 1;
    return write(event, &one, sizeof one) < 0 ? -errno : 0;
}

int conclave_linux_event_clear(int event) {
    uint64_t count;
    return read(event, &count, sizeof count) < 0 ? -errno : 0;
}

/* Signals. */

static sigset_t signal_set(uint64_t mask) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal = 1; signal <= 64; signal++) {
        if (mask >> (signal - 1) & 1) sigaddset(&set, signal);
    }
    return set;
}

int conclave_linux_signals_block(uint64_t mask) {
    sigset_t set = signal_set(mask);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int conclave_linux_signals_replace(uint64_t mask, uint64_t *previous) {
    sigset_t set = signal_set(mask), old;
    int number = pthread_sigmask(SIG_SETMASK, &set, &old);
    if (number != 0) return -number;
    *previous = 0;
    for (int signal = 1; signal <= 64; signal++) {
        if (sigismember(&old, signal) == 1) *previous |= (uint64_t)1 << (signal - 1);
    }
    return 0;
}

int conclave_linux_signal_create(uint64_t mask) {
    sigset_t set = signal_set(mask);
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int conclave_linux_signal_read(int descriptor) {
    struct signalfd_siginfo received;
    if (read(descriptor, &received, sizeof received) < 0) return -errno;
    return (int)received.ssi_signo;
}

int conclave_linux_signal_ignore(int signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    return result(sigaction(signal, &action, NULL));
}

/* Processes. */

int conclave_linux_pidfd_open(pid_t process) {
    return result((int)syscall(SYS_pidfd_open, process, 0));
}

int conclave_linux_pidfd_send_signal(int pidfd, int signal) {
    return result((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int conclave_linux_set_parent_death_signal(int signal) {
    return result(prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0));
}

/* What a child does between fork and exec; only calls that are safe there. */
static _Noreturn void execute(char *const *arguments, pid_t parent, int report) {
    struct sigaction standard = {.sa_handler = SIG_DFL}, present;
    for (int signal = 1; signal < NSIG; signal++) {
        if (sigaction(signal, NULL, &present) < 0) continue;
        if (present.sa_handler != SIG_IGN || signal == SIGPIPE) sigaction(signal, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(127);
    execvp(arguments[0], arguments);
    int number = errno;
    ssize_t written = write(report, &number, sizeof number);
    (void)written;
    _exit(127);
}

pid_t conclave_linux_spawn(char *const *arguments) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t parent = getpid();
    pid_t child = fork();
    int number = errno;
    if (child == 0) execute(arguments, parent, report[1]);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    close(report[1]);
    if (child > 0) {
        setpgid(child, child);
        ssize_t got;
        while ((got = read(report[0], &number, sizeof number)) < 0 && errno == EINTR) {}
        if (got != sizeof number) number = 0;
        if (number != 0) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        }
    }
    close(report[0]);
    return child > 0 && number == 0 ? child : -number;
}

int conclave_linux_name_thread(const char *name) {
    return result(prctl(PR_SET_NAME, name, 0, 0, 0));
}

int64_t conclave_linux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (int64_t)limit.rlim_cur;
}

/* Shared memory. */

int conclave_linux_memfd_create(const char *name) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (descriptor < 0 && errno == EINVAL) {
        descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return result(descriptor);
}

int conclave_linux_memfd_seal(int descriptor) {
    return result(fcntl(descriptor, F_ADD_SEALS,
                        F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
}

void *conclave_linux_map(int descriptor, size_t byte_count, int writable) {
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *start = mmap(NULL, byte_count, protection, MAP_SHARED, descriptor, 0);
    return start == MAP_FAILED ? NULL : start;
}

int conclave_linux_unmap(void *start, size_t byte_count) {
    return result(munmap(start, byte_count));
}

/* Files. */

int conclave_linux_open_at(int directory, const char *name, int flags, mode_t mode) {
    return result(openat(directory, name, flags | O_CLOEXEC, mode));
}

int conclave_linux_set_mmap_threshold(int byte_count) {
    return mallopt(M_MMAP_THRESHOLD, byte_count);
}

int conclave_linux_set_trim_threshold(int byte_count) {
    return mallopt(M_TRIM_THRESHOLD, byte_count);
}

int conclave_linux_allocate(int descriptor, off_t offset, off_t byte_count) {
    return result(fallocate(descriptor, 0, offset, byte_count));
}

int conclave_linux_lock(int descriptor) { return result(flock(descriptor, LOCK_EX | LOCK_NB)); }

int conclave_linux_set_direct(int descriptor, int on) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    int wanted = on ? flags | O_DIRECT : flags & ~O_DIRECT;
    return wanted == flags ? 0 : result(fcntl(descriptor, F_SETFL, wanted));
}

int conclave_linux_free_bytes(int descriptor, uint64_t *byte_count) {
    struct statvfs state;
    if (fstatvfs(descriptor, &state) < 0) return -errno;
    *byte_count = (uint64_t)state.f_bavail * (uint64_t)state.f_frsize;
    return 0;
}

/* What Swift cannot import from Linux and glibc: macros, variadic calls, packed and variable-sized
 * structures, and calls newer than the headers. One function a call, no policy, no state.
 *
 * Unless said otherwise a function returns what the call behind it returns, or the negated errno.
 * Descriptors are made close-on-exec. Times are in nanoseconds of CLOCK_BOOTTIME. */
#ifndef CCONCLAVE_LINUX_H
#define CCONCLAVE_LINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Clocks. */

uint64_t conclave_linux_boot_time(void);
/* CLOCK_REALTIME, microseconds since 1970-01-01 UTC. */
uint64_t conclave_linux_wall_time(void);
/* 1: a time service steers the wall clock; 0: nothing does; negative errno: unknown. */
int conclave_linux_wall_clock_is_steered(void);

/* Errors. */

/* A sentence for an errno value, never NULL; it stays valid for ever. */
const char *conclave_linux_error_text(int number);

/* Polling. */

enum {
    CONCLAVE_LINUX_READABLE = 0x001,
    CONCLAVE_LINUX_WRITABLE = 0x004,
    CONCLAVE_LINUX_ERROR = 0x008,
    CONCLAVE_LINUX_HANG_UP = 0x010,
    CONCLAVE_LINUX_PEER_CLOSED = 0x2000,
};

/* Most events that one wait gives. */
enum { CONCLAVE_LINUX_EVENT_BATCH = 128 };

struct conclave_linux_event {
    uint32_t events;
    uint32_t unused;
    uint64_t tag;
};

int conclave_linux_epoll_create(void);
int conclave_linux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag);
int conclave_linux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag);
int conclave_linux_epoll_remove(int epoll, int descriptor);
/* At most CONCLAVE_LINUX_EVENT_BATCH events; waits for ever if timeout_milliseconds is -1. */
int conclave_linux_epoll_wait(int epoll, struct conclave_linux_event *events, int count,
                              int timeout_milliseconds);

/* A timer of CLOCK_BOOTTIME; setting it to 0 disarms it. It never blocks. */
int conclave_linux_timer_create(void);
int conclave_linux_timer_set(int timer, uint64_t expiry);
int conclave_linux_timer_clear(int timer);

/* An eventfd with counter 0. clear waits for a signal if it was created as blocking. */
int conclave_linux_event_create(int blocking);
int conclave_linux_event_signal(int event);
int conclave_linux_event_clear(int event);

/* Signals; signal n is bit n - 1 of a mask. */

/* Adds to what the calling thread (and threads it starts later) does not receive. */
int conclave_linux_signals_block(uint64_t mask);
/* Replaces what the calling thread does not receive, and gives what it was. */
int conclave_linux_signals_replace(uint64_t mask, uint64_t *previous);
int conclave_linux_signal_create(uint64_t mask);
/* The number of one signal that waits. */
int conclave_linux_signal_read(int descriptor);
int conclave_linux_signal_ignore(int signal);

/* Processes. */

int conclave_linux_pidfd_open(pid_t process);
int conclave_linux_pidfd_send_signal(int pidfd, int signal);
/* Kills the calling process when the *thread* that made it ends. */
int conclave_linux_set_parent_death_signal(int signal);
/* Starts arguments[0], looked up in PATH, as the leader of a process group of its own, with SIGKILL
 * as its parent death signal: the calling thread must outlive it. No signal is blocked in it; those
 * that the caller ignores stay ignored, but for SIGPIPE. Returns its process id; if it could not be
 * executed, the negated errno of exec. */
pid_t conclave_linux_spawn(char *const *arguments);
/* Names the calling thread; 15 bytes of it count. */
int conclave_linux_name_thread(const char *name);
/* Raises the soft limit of open descriptors to the hard one and returns it. */
int64_t conclave_linux_raise_descriptor_limit(void);

/* Memory. Both are mallopt: pieces up to byte_count are taken from the heap, and so much that is free
 * at its end is not given back to the system. */
int conclave_linux_set_mmap_threshold(int byte_count);
int conclave_linux_set_trim_threshold(int byte_count);

/* Shared memory. */

int conclave_linux_memfd_create(const char *name);
/* From now on it neither shrinks nor grows, and new mappings are read-only: map it before. */
int conclave_linux_memfd_seal(int descriptor);
/* MAP_SHARED from offset 0; NULL and errno if it fails. */
void *conclave_linux_map(int descriptor, size_t byte_count, int writable);
int conclave_linux_unmap(void *start, size_t byte_count);

static inline uint64_t conclave_linux_load_acquire(const uint64_t *cell) {
    return __atomic_load_n(cell, __ATOMIC_ACQUIRE);
}

static inline uint64_t conclave_linux_load_relaxed(const uint64_t *cell) {
    return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static inline void conclave_linux_store_release(uint64_t *cell, uint64_t value) {
    __atomic_store_n(cell, value, __ATOMIC_RELEASE);
}

static inline void conclave_linux_store_relaxed(uint64_t *cell, uint64_t value) {
    __atomic_store_n(cell, value, __ATOMIC_RELAXED);
}

static inline void conclave_linux_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

static inline void conclave_linux_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

/* Sockets; all are made non-blocking. */

/* version 4: the address is the low 32 bits of low. version 6: high is its first eight bytes.
 * Numbers are in the order of the host. */
struct conclave_linux_address {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint16_t version;
};

/* The numeric address in text; returns 0 or -EINVAL. The port is not touched. */
int conclave_linux_address_parse(const char *text, struct conclave_linux_address *address);
/* At most 63 characters and the final zero, without the port. */
int conclave_linux_address_format(const struct conclave_linux_address *address, char text[64]);
/* Asks the resolver, blocking, and gives the first stream address. The port is not touched. Returns
 * 0 or a number for conclave_linux_resolve_text. */
int conclave_linux_resolve(const char *name, struct conclave_linux_address *address);
const char *conclave_linux_resolve_text(int number);

int conclave_linux_tcp_socket(int version);
int conclave_linux_tcp_bind(int socket, const struct conclave_linux_address *address);
int conclave_linux_tcp_connect(int socket, const struct conclave_linux_address *address);
int conclave_linux_tcp_accept(int socket, struct conclave_linux_address *peer);
int conclave_linux_tcp_local_address(int socket, struct conclave_linux_address *address);
int conclave_linux_tcp_no_delay(int socket);
int conclave_linux_tcp_keep_alive(int socket, int idle_seconds, int interval_seconds, int probes);
/* The connection fails with ETIMEDOUT when the other end has not taken what was sent for so long. */
int conclave_linux_tcp_unheard_limit(int socket, unsigned milliseconds);
int conclave_linux_reuse_address(int socket);
int conclave_linux_listen(int socket, int backlog);
int conclave_linux_shutdown_sending(int socket);
/* No more bytes in either direction; what has arrived can still be read. */
int conclave_linux_shutdown(int socket);
/* The error that waits on the socket, as a positive errno; 0: none. */
int conclave_linux_socket_error(int socket);

int conclave_linux_unix_socket(void);
/* -ENAMETOOLONG: the path has more than 107 bytes. */
int conclave_linux_unix_bind(int socket, const char *path);
int conclave_linux_unix_connect(int socket, const char *path);
int conclave_linux_unix_accept(int socket);

struct conclave_linux_credentials {
    pid_t process;
    uid_t user;
    gid_t group;
};

int conclave_linux_peer_credentials(int socket, struct conclave_linux_credentials *credentials);
/* A pidfd of the process at the other end: SO_PEERPIDFD. -ENOPROTOOPT: the kernel is too old. */
int conclave_linux_peer_pidfd(int socket);

/* Never block, and raise no SIGPIPE. Descriptors travel with the first of the bytes. */
ssize_t conclave_linux_send(int socket, const void *bytes, size_t byte_count);
ssize_t conclave_linux_send_descriptor(int socket, const void *bytes, size_t byte_count,
                                       int descriptor);
ssize_t conclave_linux_receive(int socket, void *bytes, size_t byte_count);
/* Most descriptors that one receive takes; the kernel closes the others. */
enum { CONCLAVE_LINUX_DESCRIPTOR_BATCH = 16 };
ssize_t conclave_linux_receive_descriptors(int socket, void *bytes, size_t byte_count,
                                           int *descriptors, int *descriptor_count);

/* Files. */

/* flags: those of openat without O_CLOEXEC, which is always set. */
int conclave_linux_open_at(int directory, const char *name, int flags, mode_t mode);
int conclave_linux_allocate(int descriptor, off_t offset, off_t byte_count);
/* flock, exclusive; -EWOULDBLOCK: another process has it. */
int conclave_linux_lock(int descriptor);
/* Whether writes go past the page cache (O_DIRECT); -EINVAL: not in this file system. */
int conclave_linux_set_direct(int descriptor, int on);
/* Free bytes for this process in the file system of a descriptor. */
int conclave_linux_free_bytes(int descriptor, uint64_t *byte_count);

#endif

#pragma once

#include <stdint.h>

// libsystemd's calls for a service, one function a call. Negative results are errno numbers.

/// Sends a state such as "READY=1" to the service manager; 0 without one.
int conclave_systemd_notify(const char *state);

/// How many descriptors the service manager passed, from CONCLAVE_SYSTEMD_FIRST_DESCRIPTOR on. The
/// variables that say so are removed, so that no child takes them for its own.
int conclave_systemd_take_descriptors(void);

enum { CONCLAVE_SYSTEMD_FIRST_DESCRIPTOR = 3 };

/// Whether `descriptor` is a listening Unix stream socket: positive if so.
int conclave_systemd_is_listening_unix_stream(int descriptor);

/// Positive if a watchdog expects a sign of life each `microseconds`.
int conclave_systemd_watchdog(uint64_t *microseconds);

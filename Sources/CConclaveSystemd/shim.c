#include "CConclaveSystemd.h"

#include <stddef.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

_Static_assert(
    CONCLAVE_SYSTEMD_FIRST_DESCRIPTOR == SD_LISTEN_FDS_START,
    "libsystemd passes descriptors from another number on");

int conclave_systemd_notify(const char *state) {
    return sd_notify(0, state);
}

int conclave_systemd_take_descriptors(void) {
    return sd_listen_fds(1);
}

int conclave_systemd_is_listening_unix_stream(int descriptor) {
    return sd_is_socket_unix(descriptor, SOCK_STREAM, 1, NULL, 0);
}

int conclave_systemd_watchdog(uint64_t *microseconds) {
    return sd_watchdog_enabled(0, microseconds);
}

#define _GNU_SOURCE
#include "CConclaveLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int result(int value) { return value < 0 ? -errno : value; }

/* Addresses. */

static uint64_t big_endian(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int index = 0; index < 8; index++) value = value << 8 | bytes[index];
    return value;
}

static void store_big_endian(uint64_t value, uint8_t *bytes) {
    for (int index = 7; index >= 0; index--, value >>= 8) bytes[index] = (uint8_t)value;
}

static socklen_t to_kernel(const struct conclave_linux_address *address,
                           struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    if (address->version == 4) {
        struct sockaddr_in *internet = (struct sockaddr_in *)storage;
        internet->sin_family = AF_INET;
        internet->sin_port = htons(address->port);
        internet->sin_addr.s_addr = htonl((uint32_t)address->low);
        return sizeof *internet;
    }
    struct sockaddr_in6 *internet = (struct sockaddr_in6 *)storage;
    internet->sin6_family = AF_INET6;
    internet->sin6_port = htons(address->port);
    internet->sin6_scope_id = address->scope;
    store_big_endian(address->high, internet->sin6_addr.s6_addr);
    store_big_endian(address->low, internet->sin6_addr.s6_addr + 8);
    return sizeof *internet;
}

static void from_kernel(const struct sockaddr_storage *storage,
                        struct conclave_linux_address *address) {
    memset(address, 0, sizeof *address);
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *internet = (const struct sockaddr_in *)storage;
        address->version = 4;
        address->port = ntohs(internet->sin_port);
        address->low = ntohl(internet->sin_addr.s_addr);
    } else if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *internet = (const struct sockaddr_in6 *)storage;
        address->version = 6;
        address->port = ntohs(internet->sin6_port);
        address->scope = internet->sin6_scope_id;
        address->high = big_endian(internet->sin6_addr.s6_addr);
        address->low = big_endian(internet->sin6_addr.s6_addr + 8);
    }
}

/* An IPv6 address may name the interface after a per cent sign. */
static int parse_version_6(const char *text, struct conclave_linux_address *address) {
    char plain[INET6_ADDRSTRLEN];
    const char *interface = strchr(text, '%');
    size_t length = interface ? (size_t)(interface - text) : strlen(text);
    if (length >= sizeof plain) return -EINVAL;
    memcpy(plain, text, length);
    plain[length] = 0;
    struct in6_addr parsed;
    if (inet_pton(AF_INET6, plain, &parsed) != 1) return -EINVAL;
    address->scope = interface ? if_nametoindex(interface + 1) : 0;
    if (interface && address->scope == 0) return -EINVAL;
    address->version = 6;
    address->high = big_endian(parsed.s6_addr);
    address->low = big_endian(parsed.s6_addr + 8);
    return 0;
}

int conclave_linux_address_parse(const char *text, struct conclave_linux_address *address) {
    struct in_addr parsed;
    if (inet_pton(AF_INET, text, &parsed) != 1) return parse_version_6(text, address);
    address->version = 4;
    address->high = 0;
    address->low = ntohl(parsed.s_addr);
    address->scope = 0;
    return 0;
}

int conclave_linux_address_format(const struct conclave_linux_address *address, char text[64]) {
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    int number = getnameinfo((struct sockaddr *)&storage, size, text, 64, NULL, 0, NI_NUMERICHOST);
    return number == 0 ? 0 : -EINVAL;
}

int conclave_linux_resolve(const char *name, struct conclave_linux_address *address) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int number = getaddrinfo(name, NULL, &hints, &found);
    if (number != 0) return number;
    struct sockaddr_storage storage = {0};
    memcpy(&storage, found->ai_addr, found->ai_addrlen);
    uint16_t port = address->port;
    from_kernel(&storage, address);
    address->port = port;
    freeaddrinfo(found);
    return 0;
}

const char *conclave_linux_resolve_text(int number) { return gai_strerror(number); }

/* TCP. */

int conclave_linux_tcp_socket(int version) {
    int family = version == 4 ? AF_INET : AF_INET6;
    return result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int conclave_linux_tcp_bind(int socket, const struct conclave_linux_address *address) {
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    return result(bind(socket, (struct sockaddr *)&storage, size));
}

int conclave_linux_tcp_connect(int socket, const struct conclave_linux_address *address) {
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    return result(connect(socket, (struct sockaddr *)&storage, size));
}

int conclave_linux_tcp_accept(int socket, struct conclave_linux_address *peer) {
    struct sockaddr_storage storage = {0};
    socklen_t size = sizeof storage;
    int accepted =
        accept4(socket, (struct sockaddr *)&storage, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    from_kernel(&storage, peer);
    return accepted;
}

int conclave_linux_tcp_local_address(int socket, struct conclave_linux_address *address) {
    struct sockaddr_storage storage = {0};
    socklen_t size = sizeof storage;
    if (getsockname(socket, (struct sockaddr *)&storage, &size) < 0) return -errno;
    from_kernel(&storage, address);
    return 0;
}

static int set_option(int socket, int level, int option, int value) {
    return result(setsockopt(socket, level, option, &value, sizeof value));
}

int conclave_linux_tcp_no_delay(int socket) {
    return set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
}

int conclave_linux_tcp_keep_alive(int socket, int idle_seconds, int interval_seconds, int probes) {
    int number = set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (number == 0) number = set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds);
    if (number == 0) number = set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, interval_seconds);
    if (number == 0) number = set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, probes);
    return number;
}

int conclave_linux_tcp_unheard_limit(int socket, unsigned milliseconds) {
    return set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)milliseconds);
}

int conclave_linux_reuse_address(int socket) {
    return set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
}

int conclave_linux_listen(int socket, int backlog) { return result(listen(socket, backlog)); }

int conclave_linux_shutdown_sending(int socket) { return result(shutdown(socket, SHUT_WR)); }

int conclave_linux_socket_error(int socket) {
    int number = 0;
    socklen_t size = sizeof number;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) < 0) return errno;
    return number;
}

int conclave_linux_shutdown(int socket) { return result(shutdown(socket, SHUT_RDWR)); }

/* Unix. */

int conclave_linux_unix_socket(void) {
    return result(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memcpy(address->sun_path, path, length);
    return 0;
}

int conclave_linux_unix_bind(int socket, const char *path) {
    struct sockaddr_un address;
    int number = unix_address(path, &address);
    if (number < 0) return number;
    return result(bind(socket, (struct sockaddr *)&address, sizeof address));
}

int conclave_linux_unix_connect(int socket, const char *path) {
    struct sockaddr_un address;
    int number = unix_address(path, &address);
    if (number < 0) return number;
    return result(connect(socket, (struct sockaddr *)&address, sizeof address));
}

int conclave_linux_unix_accept(int socket) {
    return result(accept4(socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int conclave_linux_peer_credentials(int socket, struct conclave_linux_credentials *credentials) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    credentials->process = peer.pid;
    credentials->user = peer.uid;
    credentials->group = peer.gid;
    return 0;
}

int conclave_linux_peer_pidfd(int socket) {
    int descriptor = -1;
    socklen_t size = sizeof descriptor;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &descriptor, &size) < 0) return -errno;
    return descriptor;
}

/* Bytes. */

ssize_t conclave_linux_send(int socket, const void *bytes, size_t byte_count) {
    ssize_t sent = send(socket, bytes, byte_count, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

ssize_t conclave_linux_send_descriptor(int socket, const void *bytes, size_t byte_count,
                                       int descriptor) {
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = byte_count};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

ssize_t conclave_linux_receive(int socket, void *bytes, size_t byte_count) {
    ssize_t received = recv(socket, bytes, byte_count, MSG_DONTWAIT);
    return received < 0 ? -errno : received;
}

ssize_t conclave_linux_receive_descriptors(int socket, void *bytes, size_t byte_count,
                                           int *descriptors, int *descriptor_count) {
    union {
        char space[CMSG_SPACE(sizeof(int) * CONCLAVE_LINUX_DESCRIPTOR_BATCH)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = byte_count};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space,
    };
    *descriptor_count = 0;
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (received < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (count > (size_t)(CONCLAVE_LINUX_DESCRIPTOR_BATCH - *descriptor_count)) {
            count = (size_t)(CONCLAVE_LINUX_DESCRIPTOR_BATCH - *descriptor_count);
        }
        memcpy(descriptors + *descriptor_count, CMSG_DATA(header), count * sizeof(int));
        *descriptor_count += (int)count;
    }
    return received;
}

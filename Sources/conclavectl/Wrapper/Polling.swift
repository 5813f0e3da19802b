import Glibc

/// Sleeps until one of the descriptors can be read, at most `milliseconds` long; -1: for ever.
func waitUntilReadable(_ descriptors: [Int32], milliseconds: Int32 = -1) {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
}

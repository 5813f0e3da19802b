import Glibc

/// Sleeps until one of the descriptors can be read, at most `milliseconds` long; -1: for ever. False: the
/// time is over.
@discardableResult
func waitUntilReadable(_ descriptors: [Int32], milliseconds: Int32 = -1) -> Bool {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return unsafe poll(&polled, nfds_t(polled.count), milliseconds) != 0
}

/// Sleeps until the descriptor can be written to, or never will be.
func waitUntilWritable(_ descriptor: Int32) {
    var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&polled, 1, -1)
}

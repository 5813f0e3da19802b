import Glibc

/// Sleeps until one of the descriptors can be read, at most `milliseconds` long; -1: for ever. False: the
/// time is over.
@discardableResult
func waitUntilReadable(_ descriptors: [Int32], milliseconds: Int32 = -1) -> Bool {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return unsafe poll(&polled, nfds_t(polled.count), milliseconds) != 0
}

/// Sleeps until the descriptor can be read. If nobody reads what `output` gets any more, the program ends
/// as its next line would end it: what it prints may come late.
func waitUntilReadable(_ descriptor: Int32, whileHeardOn output: Int32) {
    var polled = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: output, events: 0, revents: 0),
    ]
    _ = unsafe poll(&polled, 2, -1)
    guard polled[1].revents & Int16(POLLERR) != 0 else { return }
    _ = raise(SIGPIPE)
    _exit(128 + SIGPIPE)
}

/// Sleeps until the descriptor can be written to, or never will be.
func waitUntilWritable(_ descriptor: Int32) {
    var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&polled, 1, -1)
}

import Glibc

/// Where the daemon's socket is, if nobody says it.
package enum SocketPath {
    /// The longest path that a socket address holds, in bytes.
    package static let maximumByteCount = 107

    /// `named`, else `$CONCLAVE_SOCKET`, else the socket of the system's daemon if there is one,
    /// else that of the user's own.
    package static func find(named: String?) throws(ConclaveError) -> String {
        let path = search(
            named: named, environment: variable, userID: getuid(), exists: isPresent)
        guard path.utf8.count <= maximumByteCount else {
            throw ConclaveError(
                .invalid,
                "the socket path has \(path.utf8.count) bytes, at most \(maximumByteCount) are "
                    + "possible: \(path)")
        }
        return path
    }

    static func search(
        named: String?, environment: (String) -> String?, userID: UInt32,
        exists: (String) -> Bool
    ) -> String {
        if let named { return named }
        if let path = environment("CONCLAVE_SOCKET") { return path }
        let system = "/run/conclave/conclave.sock"
        if exists(system) { return system }
        let shared = "/tmp/conclave-\(userID)/conclave.sock"
        guard let directory = environment("XDG_RUNTIME_DIR") else { return shared }
        let own = "\(directory)/conclave/conclave.sock"
        // A daemon that was started without the variable is found too.
        return !exists(own) && exists(shared) ? shared : own
    }

    /// An empty variable counts as none.
    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }

    private static func isPresent(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }
}

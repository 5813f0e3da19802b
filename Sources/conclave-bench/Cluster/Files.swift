import CConclaveLinux
import Glibc

enum Files {
    /// A new directory, in `parent`, `$TMPDIR` or /tmp.
    static func makeDirectory(in parent: String?) throws -> String {
        let temporary = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        let parent = parent ?? temporary ?? "/tmp"
        let open = String(repeating: "X", count: 6)
        var template = Array("\(parent)/conclave-bench-\(open)".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { template in
            unsafe mkdtemp(template.baseAddress!) != nil
        }
        guard isMade else { throw BenchFailure("cannot make a directory in \(parent)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        let file = unsafe open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Glibc.write(file, bytes.baseAddress, bytes.count)
        }
        close(file)
        guard count == bytes.count else { throw BenchFailure("cannot write \(path)") }
    }

    /// With everything in it.
    static func removeDirectory(_ path: String) {
        let remover = Spawn.start(["rm", "-rf", "--", path])
        if remover > 0 { _ = waitpid(remover, nil, 0) }
    }
}

enum Ports {
    /// Ports of loopback that nobody listens on now.
    static func free(_ count: Int) throws -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let socket = conclave_linux_tcp_socket(4)
            sockets.append(socket)
            var address = conclave_linux_address(
                high: 0, low: 0x7F00_0001, scope: 0, port: 0, version: 4)
            guard unsafe conclave_linux_tcp_bind(socket, &address) == 0,
                unsafe conclave_linux_tcp_local_address(socket, &address) == 0
            else { throw BenchFailure("no port of loopback is free") }
            return address.port
        }
    }
}

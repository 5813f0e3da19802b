import CConclaveLinux
import ConclaveBase
import ConclaveReactor
import Glibc
import Testing

@Suite struct `Sockets` {
    /// A directory of this test's own, removed with it.
    private final class Scratch {
        let path: String

        init() {
            var template = Array("/tmp/conclave-reactor-XXXXXX".utf8CString)
            path = template.withUnsafeMutableBufferPointer {
                String(cString: mkdtemp($0.baseAddress!))
            }
        }

        deinit {
            unlink(path + "/socket")
            rmdir(path)
        }
    }

    private let scratch = Scratch()
    private var path: String { scratch.path + "/socket" }

    @Test(arguments: [
        "127.0.0.1:7400", "0.0.0.0:0", "[::1]:7400", "[2001:db8::1:2]:65535",
    ])
    func `a numeric address reads as it is written`(text: String) throws {
        #expect(try SocketAddress(text).description == text)
    }

    @Test(arguments: [
        "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:7400", "localhost:7400", "[::1]",
        "[zz::]:1", "1.2.3:4", "[fe80::1%nowhere]:1", "a\u{0}b:1",
    ])
    func `what is no numeric address is refused`(text: String) {
        #expect(throws: SocketAddress.Fault.self) { try SocketAddress(text) }
    }

    @Test func `resolving takes numeric addresses as they are`() throws {
        #expect(try SocketAddress.resolve("127.0.0.1:80") == .loopback(port: 80))
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func `both versions connect and carry bytes`(text: String) throws {
        let listener = try TCPSocket.listen(on: try SocketAddress(text))
        let address = try TCPSocket.localAddress(of: listener)
        #expect(address.port != 0)
        let first = try TCPSocket.connect(to: address)
        let second = try #require(try TCPSocket.accept(from: listener))
        #expect(second.peer == (try TCPSocket.localAddress(of: first)))
        #expect(second.peer.hasSameHost(as: address))
        #expect(try first.send([7]) == 1)
        var room: [UInt8] = [0, 0]
        #expect(
            try room.withUnsafeMutableBytes { try second.socket.receive(into: $0) } == .bytes(1))
        #expect(try room.withUnsafeMutableBytes { try second.socket.receive(into: $0) } == .nothing)
        #expect(room == [7, 0])
        #expect(try TCPSocket.accept(from: listener) == nil)
    }

    @Test func `a refused connection says so`() throws {
        let address: SocketAddress
        do {
            let listener = try TCPSocket.listen(on: .loopback(port: 0))
            address = try TCPSocket.localAddress(of: listener)
        }
        let reactor = try Reactor()
        do {
            let socket = try TCPSocket.connect(to: address)
            let handler = Reader(socket)
            let registration = try reactor.register(socket, interest: .writable, handler: handler)
            var failure: SystemError?
            handler.whenReady = { failure = TCPSocket.failure(of: socket) }
            try reactor.turn(until: .distantFuture)
            reactor.remove(registration)
            #expect(failure?.number == ECONNREFUSED)
        } catch {
            #expect(error.number == ECONNREFUSED)
        }
    }

    @Test func `the kernel says who is at the other end of a Unix socket`() throws {
        let listener = try UnixSocket.listen(at: path, mode: 0o600)
        let client = try UnixSocket.connect(to: path)
        let server = try #require(try UnixSocket.accept(from: listener))
        let credentials = try UnixSocket.credentials(ofPeer: server)
        #expect(credentials.process == getpid())
        #expect(credentials.user == getuid())
        #expect(credentials.group == getgid())
        let process = try UnixSocket.process(ofPeer: server)
        #expect(conclave_linux_pidfd_send_signal(process.number, 0) == 0)
        withExtendedLifetime(client) {}
    }

    @Test func `the socket file has the mode that was asked for`() throws {
        let listener = try UnixSocket.listen(at: path, mode: 0o660)
        var state = stat()
        #expect(stat(path, &state) == 0)
        #expect(state.st_mode & 0o777 == 0o660)
        withExtendedLifetime(listener) {}
    }

    @Test func `a socket file tells whether anybody answers on it`() throws {
        #expect(try UnixSocket.probe(path) == .absent)
        do {
            let listener = try UnixSocket.listen(at: path, mode: 0o600)
            #expect(try UnixSocket.probe(path) == .answered)
            let second = #expect(throws: SystemError.self) {
                try UnixSocket.listen(at: path, mode: 0o600)
            }
            #expect(second?.number == EADDRINUSE)
            withExtendedLifetime(listener) {}
        }
        #expect(try UnixSocket.probe(path) == .stale)
    }

    @Test func `a path that is too long is refused by name`() {
        let error = #expect(throws: SystemError.self) {
            try UnixSocket.connect(to: "/tmp/" + String(repeating: "x", count: 103))
        }
        #expect(error?.number == ENAMETOOLONG)
    }

    @Test func `descriptors arrive with the bytes they were sent with`() throws {
        let listener = try UnixSocket.listen(at: path, mode: 0o600)
        let client = try UnixSocket.connect(to: path)
        let server = try #require(try UnixSocket.accept(from: listener))
        var writer = StreamWriter()
        writer.append([1, 2])
        writer.append([3, 4], passing: try memory("first", holding: 11))
        writer.append([5])
        writer.append([6], passing: try memory("second", holding: 12))
        #expect(try writer.flush(to: server))
        #expect(writer.byteCount == 0)

        let reader = Reader(client)
        reader.ready(.readable)
        #expect(reader.bytes.prefix(2) == [1, 2])
        while reader.bytes.count < 6, reader.callCount < 10 { reader.ready(.readable) }
        #expect(reader.bytes == [1, 2, 3, 4, 5, 6])
        let values = try reader.descriptors.map { descriptor in
            let start = try #require(conclave_linux_map(descriptor.number, 4_096, 0))
            defer { _ = conclave_linux_unmap(start, 4_096) }
            return conclave_linux_load_acquire(start.assumingMemoryBound(to: UInt64.self))
        }
        #expect(values == [11, 12])
    }

    @Test func `a sealed page can be read but not written or resized by its receiver`() throws {
        let page = try memory("page", holding: 1)
        #expect(conclave_linux_map(page.number, 4_096, 1) == nil)
        #expect(ftruncate(page.number, 0) == -1)
        #expect(ftruncate(page.number, 8_192) == -1)
        #expect(pwrite(page.number, "x", 1, 0) == -1)
    }

    private func memory(_ name: String, holding value: UInt64) throws -> Descriptor {
        let descriptor = Descriptor(owning: conclave_linux_memfd_create(name))
        #expect(ftruncate(descriptor.number, 4_096) == 0)
        let start = try #require(conclave_linux_map(descriptor.number, 4_096, 1))
        conclave_linux_store_release(start.assumingMemoryBound(to: UInt64.self), value)
        #expect(conclave_linux_memfd_seal(descriptor.number) == 0)
        _ = conclave_linux_unmap(start, 4_096)
        return descriptor
    }
}

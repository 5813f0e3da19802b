import ConclaveReactor
import ConclaveWire
import Foundation
import TestSupport
import Testing

/// What comes from outside harms nobody but its sender (C9).
@Suite(.serialized) struct `Bad input` {
    /// A raw connection to a daemon's socket.
    private final class Stranger {
        private let socket: Descriptor
        private var buffer = FrameBuffer()

        /// Waits while the daemon's queue is full.
        init(_ path: String) throws {
            var socket: Descriptor?
            try wait(for: "a place in the queue") {
                do {
                    socket = try UnixSocket.connect(to: path)
                } catch let error as SystemError where error.number == EAGAIN {
                    return false
                }
                return true
            }
            self.socket = try #require(socket)
        }

        /// How many bytes were taken.
        func send(_ bytes: [UInt8]) throws -> Int {
            try bytes.withUnsafeBytes { try socket.send($0) } ?? 0
        }

        /// What the daemon says until it closes, or until a frame came if `isEnd` is false.
        func frames(untilEnd: Bool) throws -> [FrameBuffer.Frame] {
            var frames: [FrameBuffer.Frame] = []
            var space = [UInt8](repeating: 0, count: 65_536)
            try wait(for: "an answer", seconds: 10) {
                let received = try space.withUnsafeMutableBytes { try socket.receive(into: $0) }
                if case .end = received { return true }
                if case .bytes(let count) = received { buffer.append(Array(space[..<count])) }
                while let frame = try buffer.next() { frames.append(frame) }
                return !untilEnd && !frames.isEmpty
            }
            return frames
        }
    }

    private func hello(version: UInt16 = ClientLimits.protocolVersion) -> [UInt8] {
        var writer = ByteWriter()
        ClientHello(version: version, features: 0, name: "stranger").encode(into: &writer)
        return FrameHeader.frame(
            type: ClientFrameType.hello.rawValue, number: 1, body: writer.bytes)
    }

    private func isWell(_ group: Group) throws -> Bool {
        try group.run("lock", ["well", "--", "true"], seconds: 10).status == 0
            && group.daemon(1).isRunning
    }

    @Test func `garbage gets one error that names the field, then the end`() throws {
        let group = try Group.serving(of: 1)
        for seed in 1...50 {
            var random = SystemRandomNumberGenerator()
            // A length that no frame has, and anything after it.
            let garbage =
                [0xFF, 0xFF, 0xFF, UInt8(seed)]
                + (0..<200).map { _ in
                    UInt8.random(in: .min ... .max, using: &random)
                }
            let stranger = try Stranger(group.socket(1))
            _ = try stranger.send(garbage)
            let frames = try stranger.frames(untilEnd: true)
            #expect(frames.count == 1)
            #expect(frames.first?.header.flags.contains(.error) == true)
            let text = String(decoding: frames.first?.body ?? [], as: UTF8.self)
            #expect(text.contains("length"), "\(text)")
        }
        #expect(try isWell(group))
    }

    @Test func `an oversized frame is refused before its bytes are waited for`() throws {
        let group = try Group.serving(of: 1)
        let stranger = try Stranger(group.socket(1))
        var writer = ByteWriter()
        writer.integer(FrameHeader.maximumLength + 1)
        writer.raw([UInt8](repeating: 0, count: 12))
        _ = try stranger.send(hello() + writer.bytes)
        let frames = try stranger.frames(untilEnd: true)
        #expect(frames.count == 2)
        #expect(frames.last?.header.flags.contains(.error) == true)
        #expect(try isWell(group))
    }

    @Test func `another protocol version is refused with an error`() throws {
        let group = try Group.serving(of: 1)
        let stranger = try Stranger(group.socket(1))
        _ = try stranger.send(hello(version: 4_711))
        let frames = try stranger.frames(untilEnd: true)
        #expect(frames.first?.header.flags.contains(.error) == true)
        let text = String(decoding: frames.first?.body ?? [], as: UTF8.self)
        #expect(text.contains("4711"), "\(text)")
        #expect(try isWell(group))
    }

    @Test func `bodies of every type with random bytes trap nothing`() throws {
        let group = try Group.serving(of: 1)
        var random = SystemRandomNumberGenerator()
        for type in UInt16(0)...80 {
            let stranger = try Stranger(group.socket(1))
            let body = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            _ = try stranger.send(hello())
            _ = try stranger.frames(untilEnd: false)
            _ = try? stranger.send(FrameHeader.frame(type: type, number: 2, body: body))
        }
        #expect(try isWell(group))
    }

    @Test func `a client that asks and never reads stops itself, and nobody else`() throws {
        let group = try Group.serving(of: 1)
        let stranger = try Stranger(group.socket(1))
        _ = try stranger.send(hello())
        var number: UInt64 = 2
        var sent = 0
        // The daemon stops reading, so the kernel's buffers fill up and take no more.
        try wait(for: "the daemon to stop reading", seconds: 30) {
            for _ in 0..<200 {
                let frame = FrameHeader.frame(
                    type: ClientFrameType.status.rawValue, number: number, body: [])
                number += 1
                let count: Int
                do {
                    count = try stranger.send(frame)
                } catch {
                    // Cut is as good.
                    return true
                }
                sent += count
                if count < frame.count { return try isStuck(stranger) }
            }
            return false
        }
        #expect(try isWell(group))
        let status = try String(
            contentsOfFile: "/proc/\(group.daemon(1).pid)/status", encoding: .utf8)
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kibibytes = resident?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        #expect(try #require(kibibytes) < 100 * 1_024, "after \(sent) bytes")
    }

    /// Nothing is taken for a while.
    private func isStuck(_ stranger: Stranger) throws -> Bool {
        for _ in 0..<50 {
            Thread.sleep(forTimeInterval: 0.01)
            guard let count = try? stranger.send([0]) else { return true }
            if count > 0 { return true }
        }
        return true
    }

    @Test func `a stderr that nobody reads does not stop the daemon`() throws {
        let group = try Group(of: 1, extra: "logLevel: trace")
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        let daemon = try Running(
            Programs.conclaved, ["--config", group.configuration(1)], in: group.directory,
            standardError: writing.number)
        defer {
            daemon.kill()
            withExtendedLifetime(reading) {}
        }
        try group.waitUntilServing()
        // Some lines each, far more than a pipe takes.
        for _ in 0..<1_500 { _ = try Stranger(group.socket(1)) }
        let began = Date()
        #expect(try group.run("lock", ["a", "--", "true"], seconds: 10).status == 0)
        #expect(Date().timeIntervalSince(began) < 5)
    }
}

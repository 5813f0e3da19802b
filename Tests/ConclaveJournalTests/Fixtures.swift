import ConclaveBase
import ConclaveJournal
import ConclaveReactor
import Glibc
import Testing

/// A data directory of one test, removed with it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/conclave-journal-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        if let disk = try? FileDisk(path: path) {
            for name in (try? disk.list()) ?? [] { unlink(path + "/" + name) }
        }
        unlink(path + "/lock")
        rmdir(path)
    }

    func state(of name: String) throws -> stat {
        var state = stat()
        try #require(lstat(path + "/" + name, &state) == 0)
        return state
    }
}

/// How an operation ended.
enum Ended: Equatable {
    case completed
    case failed(DiskError)
}

/// What a sink was told.
final class Recorder: DiskSink {
    /// Tags, in the order in which they completed.
    var order: [UInt64] = []
    var ended: [UInt64: Ended] = [:]
    /// Lanes that wait for room, and for what.
    var full: [String] = []

    func receive(_ input: DiskInput) {
        switch input {
        case .completed(let tag):
            order.append(tag)
            ended[tag] = .completed
        case .failed(let tag, let error):
            order.append(tag)
            ended[tag] = .failed(error)
        case .full(let lane, let file): full.append("\(lane) \(file)")
        case .hasRoom(let lane): full.removeAll { $0.hasPrefix("\(lane) ") }
        }
    }
}

/// A disk with a reactor that tells what completed.
final class Site {
    let reactor: Reactor
    let disk: FileDisk
    let recorder = Recorder()
    private var nextTag: UInt64 = 1

    init(_ scratch: Scratch) throws {
        reactor = try Reactor()
        disk = try FileDisk(path: scratch.path)
        try disk.start(on: reactor, recorder)
    }

    @discardableResult
    func submit(_ operation: DiskOperation, _ lane: DiskLane = .segments) -> UInt64 {
        let tag = nextTag
        nextTag += 1
        disk.submit(operation, lane: lane, tag: tag)
        return tag
    }

    /// Turns until `condition` holds; false after ten seconds.
    func turn(until condition: () -> Bool) throws -> Bool {
        let end = reactor.now().advanced(by: .seconds(10))
        while !condition() {
            guard reactor.now() < end else { return false }
            try reactor.turn(until: end)
        }
        return true
    }

    func result(of tag: UInt64) throws -> Ended {
        _ = try turn { recorder.ended[tag] != nil }
        return try #require(recorder.ended[tag])
    }

    func perform(_ operation: DiskOperation, _ lane: DiskLane = .segments) throws -> Ended {
        try result(of: submit(operation, lane))
    }
}

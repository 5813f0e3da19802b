import ConclaveBase
import ConclaveReactor
import Glibc
import Testing

@Suite struct `A reactor` {
    private let reactor: Reactor

    init() throws {
        reactor = try Reactor()
    }

    @Test func `a turn ends at its deadline and not before`() throws {
        let deadline = reactor.now().advanced(by: .milliseconds(20))
        #expect(try reactor.turn(until: deadline) == 0)
        #expect(reactor.now() >= deadline)
    }

    @Test func `a deadline that moves on does not end the turn early`() throws {
        let (near, far) = try connectedPair()
        let reader = Reader(near)
        let registration = try reactor.register(near, interest: .readable, handler: reader)
        _ = try far.send([1])
        try reactor.turn(until: reactor.now().advanced(by: .milliseconds(5)))
        #expect(reader.bytes == [1])

        let later = reactor.now().advanced(by: .milliseconds(40))
        try reactor.turn(until: later)
        #expect(reactor.now() >= later)
        reactor.remove(registration)
    }

    @Test func `a nearer deadline is met although a farther one was set before`() throws {
        let (near, far) = try connectedPair()
        let reader = Reader(near)
        _ = try reactor.register(near, interest: .readable, handler: reader)
        _ = try far.send([1])
        try reactor.turn(until: reactor.now().advanced(by: .seconds(3_600)))

        let start = reactor.now()
        try reactor.turn(until: start.advanced(by: .milliseconds(5)))
        #expect(reactor.now().since(start) < .seconds(60))
    }

    @Test func `a deadline that has passed only looks`() throws {
        #expect(try reactor.turn(until: .distantPast) == 0)
    }

    @Test func `a wake from another thread ends the turn`() throws {
        let waker = reactor.waker
        let thread = try WorkerThread(name: "waker") { waker.wake() }
        try reactor.turn(until: .distantFuture)
        thread.join()
    }

    @Test func `a wake before the turn is not lost and many are one`() throws {
        for _ in 0..<100 { reactor.waker.wake() }
        try reactor.turn(until: .distantFuture)
        let deadline = reactor.now().advanced(by: .milliseconds(5))
        try reactor.turn(until: deadline)
        #expect(reactor.now() >= deadline)
        reactor.waker.wake()
        try reactor.turn(until: .distantFuture)
    }

    @Test func `an alarm is called once when it is due, however late`() throws {
        let alarm = Alarm(reactor.now().advanced(by: .milliseconds(5)))
        let due = alarm.deadline
        reactor.add(alarm)
        try reactor.turn(until: .distantFuture)
        #expect(alarm.calls.count == 1)
        #expect(try #require(alarm.calls.first) >= due)

        alarm.deadline = .distantPast
        try reactor.turn(until: .distantFuture)
        #expect(alarm.calls.count == 2)

        reactor.remove(alarm)
        alarm.deadline = .distantPast
        try reactor.turn(until: .distantPast)
        #expect(alarm.calls.count == 2)
    }

    @Test func `a handler removed by another one is not called in the same turn`() throws {
        let (first, firstEnd) = try connectedPair()
        let (second, secondEnd) = try connectedPair()
        let readers = [Reader(first), Reader(second)]
        let registrations = try readers.map {
            try reactor.register($0.socket, interest: .readable, handler: $0)
        }
        // Whichever is called first removes the other one.
        for index in readers.indices {
            readers[index].whenReady = { [reactor] in
                guard readers[1 - index].callCount == 0 else { return }
                reactor.remove(registrations[1 - index])
            }
        }
        _ = try firstEnd.send([1])
        _ = try secondEnd.send([2])
        #expect(try reactor.turn(until: .distantFuture) == 1)
        #expect(readers.map(\.callCount).sorted() == [0, 1])
        for reader in readers { reader.whenReady = {} }
    }

    @Test func `a place that is used again gets no event of the one before`() throws {
        let (first, firstEnd) = try connectedPair()
        let (second, secondEnd) = try connectedPair()
        let (quiet, quietEnd) = try connectedPair()
        let readers = [Reader(first), Reader(second)]
        let newcomer = Reader(quiet)
        let registrations = try readers.map {
            try reactor.register($0.socket, interest: .readable, handler: $0)
        }
        for index in readers.indices {
            readers[index].whenReady = { [reactor] in
                guard readers[1 - index].callCount == 0 else { return }
                reactor.remove(registrations[1 - index])
                _ = try? reactor.register(quiet, interest: .readable, handler: newcomer)
            }
        }
        _ = try firstEnd.send([1])
        _ = try secondEnd.send([2])
        try reactor.turn(until: .distantFuture)
        #expect(newcomer.callCount == 0)

        for reader in readers { reader.whenReady = {} }
        _ = try quietEnd.send([3])
        #expect(try reactor.turn { newcomer.bytes == [3] })
    }

    @Test func `a handler may remove itself and be gone`() throws {
        let (near, far) = try connectedPair()
        weak var gone: Reader?
        do {
            let reader = Reader(near)
            gone = reader
            let registration = try reactor.register(near, interest: .readable, handler: reader)
            reader.whenReady = { [reactor] in reactor.remove(registration) }
        }
        _ = try far.send([1])
        #expect(try reactor.turn(until: .distantFuture) == 1)
        #expect(gone == nil)
    }

    @Test func `many descriptors are all served`() throws {
        let pairs = try (0..<300).map { _ in try connectedPair() }
        let readers = pairs.map { Reader($0.0) }
        for reader in readers {
            _ = try reactor.register(reader.socket, interest: .readable, handler: reader)
        }
        for (index, pair) in pairs.enumerated() { _ = try pair.1.send([UInt8(index % 256)]) }
        #expect(try reactor.turn { readers.allSatisfy { !$0.bytes.isEmpty } })
        #expect(readers.map(\.bytes) == (0..<300).map { [UInt8($0 % 256)] })
    }

    @Test func `the end of a peer is told as long as nobody takes it`() throws {
        let (near, far) = try connectedPair()
        let reader = Reader(near)
        _ = try reactor.register(near, interest: .readable, handler: reader)
        TCPSocket.shutDownSending(far)
        #expect(try reactor.turn { reader.isAtEnd })
        let calls = reader.callCount
        try reactor.turn(until: .distantFuture)
        #expect(reader.callCount == calls + 1)
    }

    @Test func `the wall clock is after the year 2025`() {
        #expect(reactor.wallClock().microseconds > 1_735_689_600_000_000)
    }

    @Test func `a signal becomes a call on the reactor's thread`() async {
        final class Listener: SignalHandler {
            var signals: [Int32] = []
            func received(signal: Int32) { signals.append(signal) }
        }
        // In a process of its own: the threads of this one do not block the signal.
        await #expect(processExitsWith: .exitCode(7)) {
            let reactor = try Reactor()
            let listener = Listener()
            let source = try SignalSource([SIGUSR1, SIGTERM], reactor: reactor, handler: listener)
            #expect(pthread_kill(pthread_self(), SIGTERM) == 0)
            guard try reactor.turn(until: { listener.signals == [SIGTERM] }) else { exit(1) }
            source.close()
            exit(7)
        }
    }
}

import ConclaveNode
import ConclaveReactor
import Glibc
import Logging
import Testing

@Suite struct `Log lines` {
    /// Both ends of a pipe, closed with the last reference.
    private struct PipeEnds {
        let reading: Descriptor
        let writing: Descriptor

        init() {
            var numbers: [Int32] = [0, 0]
            precondition(pipe(&numbers) == 0)
            reading = Descriptor(owning: numbers[0])
            writing = Descriptor(owning: numbers[1])
        }

        func read() -> String {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(reading.number, &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    private func logger(_ queue: LogQueue, _ level: Logger.Level = .trace) -> Logger {
        let handler = StandardErrorHandler(queue: queue, level: level, hasTime: false)
        return Logger(label: "test", factory: { _ in handler })
    }

    @Test func `a line has the priority that journald reads, a sentence, and sorted facts`() throws
    {
        let ends = PipeEnds()
        let queue = try LogQueue()
        let writer = try LogWriter(queue, descriptor: ends.writing.number)
        logger(queue).warning("member suspected", metadata: ["silent": "2 s", "node": "3"])
        writer.finish()
        #expect(ends.read() == "<4>member suspected node=3 silent=\"2 s\"\n")
    }

    @Test func `one event stays one line, whatever is in it`() throws {
        let ends = PipeEnds()
        let queue = try LogQueue()
        let writer = try LogWriter(queue, descriptor: ends.writing.number)
        logger(queue).info("client", metadata: ["label": "a\n<0>forged \"x\""])
        writer.finish()
        #expect(ends.read() == "<6>client label=\"a?<0>forged \\\"x\\\"\"\n")
    }

    @Test func `a reader that reads nothing costs lines, never time, and is told how many`() throws
    {
        let ends = PipeEnds()
        let queue = try LogQueue(maximumByteCount: 4_096)
        let writer = try LogWriter(queue, descriptor: ends.writing.number)
        let line = Array((String(repeating: "x", count: 999) + "\n").utf8)
        // A pipe takes 64 KiB, the queue 4 KiB: most of these have no place.
        for _ in 0..<1_000 { queue.append(line) }
        writer.finish(withinMilliseconds: 50)
        var text = ""
        while !text.contains("were dropped") { text += ends.read() }
        #expect(text.contains("<4>log lines were dropped: nobody read them count="))
        // Its thread must not write to whatever has the pipe's number next.
        writer.finish()
    }

    @Test func `what was appended is written before the end`() throws {
        let ends = PipeEnds()
        let queue = try LogQueue()
        let writer = try LogWriter(queue, descriptor: ends.writing.number)
        for number in 0..<100 { queue.append(Array("line \(number)\n".utf8)) }
        writer.finish()
        #expect(ends.read().hasSuffix("line 99\n"))
    }
}

import Foundation
import Testing

@testable import conclavectl

@Suite struct `The standard output` {
    @Test func `that takes no more ends the program, not with success`() async {
        await #expect(processExitsWith: .exitCode(74)) {
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO)
            Output.standard("token 5")
        }
    }

    @Test func `whose reader went away is left`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            dup2(ends[1], STDOUT_FILENO)
            Output.standard("token 5")
        }
    }

    /// A pipe that does not block holds 64 KiB, and its reader comes late.
    @Test func `gets everything, also where it does not wait by itself`() async {
        await #expect(processExitsWith: .success) {
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            dup2(ends[1], STDOUT_FILENO)
            close(ends[1])
            let (reading, lineCount) = (ends[0], 20_000)
            let reader = Thread {
                var count = 0
                var buffer = [UInt8](repeating: 0, count: 1_000)
                while true {
                    let read = read(reading, &buffer, buffer.count)
                    if read == 0 { break }
                    if read > 0 {
                        count += buffer[..<read].count { $0 == 0x0A }
                    } else {
                        usleep(1_000)
                    }
                }
                exit(count == lineCount ? 0 : 1)
            }
            reader.start()
            for _ in 0..<lineCount { Output.standard("a line of the output") }
            close(STDOUT_FILENO)
            while true { pause() }
        }
    }
}

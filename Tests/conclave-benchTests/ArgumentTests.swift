import ArgumentParser
import Testing

@testable import conclave_bench

@Suite struct `The command line` {
    @Test func `measures unless it says otherwise`() throws {
        let command = try BenchCommand.parseAsRoot(
            ["--cluster", "3", "--durability", "memory", "lock.solo", "mcast.rate", "--json"])
        let measure = try #require(command as? MeasureCommand)
        #expect(measure.measures == [.lockSolo, .multicastRate])
        #expect(measure.durability == .memory && measure.json && measure.secs == 8)
        #expect(try BenchCommand.parseAsRoot(["compare", "a", "b"]) is CompareCommand)
    }

    @Test(arguments: [
        [], ["lock.solo"], ["--cluster", "1"], ["--cluster", "0", "lock.solo"],
        ["--cluster", "17", "lock.solo"], ["--cluster", "1", "lock.quick"],
        ["--cluster", "1", "--socket", "s", "lock.solo"],
        ["--cluster", "1", "--secs", "0", "lock.solo"],
        ["--cluster", "1", "--secs", "nan", "lock.solo"],
        ["--cluster", "1", "--workers", "0", "lock.parallel"],
        ["--cluster", "1", "--conns", "-1", "lock.parallel"],
        ["--cluster", "1", "--rounds", "0", "barrier.last"],
        ["--cluster", "1", "--objects", "-1", "rss.held"],
        ["--cluster", "1", "--bytes", "65537", "mcast.rate"],
        ["--cluster", "1", "--rate", "0", "lock.solo"],
        ["--cluster", "1", "--rate", "100", "lock.solo", "lock.handoff"],
        ["--cluster", "1", "gap.server_kill"], ["--socket", "s", "gap.server_kill"],
        ["--cluster", "2", "view.change"], ["--cluster", "2", "join.blank"],
        ["--cluster", "3", "--workers", "1", "barrier.break"],
        ["--cluster", "1", "--durability", "tape", "lock.solo"], ["compare"],
    ])
    func `that makes no sense is wrong usage`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) {
            try BenchCommand.parseAsRoot(arguments)
        }
        #expect(error.map { BenchCommand.exitCode(for: $0).rawValue } == 64)
    }

    @Test(arguments: [
        (["--cluster", "1", "--rate", "9", "rss.idle"], "rss.idle"),
        (["--cluster", "2", "view.change"], "--cluster 3 or more"),
        (["--cluster", "1", "--bytes", "70000", "mcast.rate"], "--bytes must be 0 to 65536"),
    ])
    func `says which word is wrong`(arguments: [String], word: String) throws {
        let error = try #require(
            #expect(throws: (any Error).self) { try BenchCommand.parseAsRoot(arguments) })
        #expect(BenchCommand.message(for: error).contains(word))
    }

    @Test(
        arguments: [BenchCommand.self, MeasureCommand.self, CompareCommand.self]
            as [any ParsableCommand.Type])
    func `has help with exit codes and an example`(command: any ParsableCommand.Type) {
        let help = command.helpMessage(columns: 100)
        #expect(help.contains("Exit codes: "))
        #expect(help.contains("\n  conclave-bench "))
    }

    @Test(arguments: Measure.allCases)
    func `has help on each measure`(measure: Measure) {
        let lines = MeasureCommand.helpMessage(columns: 100).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("  \(measure.rawValue) ") })
    }
}

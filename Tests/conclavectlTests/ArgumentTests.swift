import ArgumentParser
import Conclave
import Testing

@testable import conclavectl

@Suite struct `The command line` {
    @Test(arguments: [
        ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("7", 7_000), ("0", 0),
    ])
    func `takes a duration with its unit`(text: String, milliseconds: Int) {
        #expect(
            DurationArgument(argument: text)?.duration == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "s", "-1s", "1.5s", "3q", "5 s", "9223372036854775807h", "٣s"])
    func `refuses what is no duration`(text: String) {
        #expect(DurationArgument(argument: text) == nil)
    }

    @Test func `of a double barrier is told what it lacks, not what it may not have`() {
        let error = #expect(throws: (any Error).self) {
            try ConclaveCommand.parseAsRoot(["barrier", "b", "--double", "--", "true"])
        }
        let message = error.map { ConclaveCommand.message(for: $0) } ?? ""
        #expect(message == "--double needs --parties")
    }

    @Test func `names the variable from which a barrier's member is that is none`() {
        let error = ConclaveError(.notHeld, "group v has no member 7")
        let told = BarrierCommand.namingVariable(error)
        #expect(told.code == .notHeld)
        #expect(told.message.hasPrefix("group v has no member 7; $CONCLAVE_MEMBER names"))
        let other = ConclaveError(.busy, "busy")
        #expect(BarrierCommand.namingVariable(other).message == "busy")
    }

    @Test func `gives everything after the dashes to the command`() throws {
        let parsed = try ConclaveCommand.parseAsRoot(
            [
                "lock", "db/migrate", "--shared", "--wait", "30s", "--", "sh", "-c", "exit 3",
                "--json",
            ])
        let lock = try #require(parsed as? LockCommand)
        #expect(lock.command == ["sh", "-c", "exit 3", "--json"])
        #expect(lock.shared)
        #expect(!lock.common.json)
        #expect(lock.hold.wait?.duration == .seconds(30))
    }

    @Test func `takes several names for a lock of each`() throws {
        let parsed = try ConclaveCommand.parseAsRoot(
            ["lock", "b", "--and", "a", "--try", "--and", "c", "--", "true", "--and"])
        let lock = try #require(parsed as? LockCommand)
        #expect(lock.names == ["a", "b", "c"])
        #expect(lock.command == ["true", "--and"])
    }

    @Test(arguments: [
        ["lock", "a", "--and", "a", "--", "true"], ["lock"], ["lock", "a"], ["lock", "a", "--"],
        ["lock", "", "--", "true"],
        ["lock", "a\u{7}", "--", "true"], ["lock", "a", "--try", "--wait", "1s", "--", "true"],
        ["lock", "a", "--ttl", "0", "--", "true"], ["lock", "a", "true"], ["barrier", "b"],
        ["barrier", "--parties", "2"], ["barrier", "b", "--parties", "2", "--launcher", "slurm"],
        ["barrier", "--from-environment", "--rank", "10000"],
        ["barrier", "--from-environment", "--launcher", "lsf"],
        ["barrier", "b", "--parties", "0"],
        ["barrier", "b", "--parties", "2", "--timeout", "0"],
        ["elect", "s", "--places", "0", "--", "true"],
        ["elect", "s", "--places", "129", "--", "true"],
        ["elect", "s", "--wait", "0", "--", "true"],
        ["barrier", "b", "--parties", "2", "--rank", "2"],
        ["elect", "s", "--value", String(repeating: "v", count: 4_097), "--", "true"],
        ["frobnicate"], ["put"], ["put", ""], ["put", "a", "b", "--if-version", "x"],
        ["put", "a", "b", "--if-version", "1", "--if-absent"], ["get"], ["get", "a\u{7}"],
        ["get", "a", "--at", "yesterday"], ["delete"], ["watch", ""], ["watch"],
        ["watch", "a", "--from", "-1"], ["transaction", "--put", "a"],
        ["transaction", "--put", "=1"], ["transaction", "--if-version", "a=b"],
        ["group", "join"], ["group", "join", "w", "--attribute", "a"],
        ["group", "join", "w", "--attribute", "=a"],
        ["group", "join", "w", "--attribute", "a=1", "--attribute", "a=2"],
        ["group", "join", "w", "--ttl", "0"], ["group", "members", "w", "--messages"],
        ["group", "send", "w"], ["group", "evict", "w", "x"],
        ["handover", "s", "--to", "5", "--within", "0s"], ["handover", "s"], ["evict", "x"],
        ["barrier", "b", "--group", "g", "--parties", "2"], ["barrier", "b", "--member", "3"],
        ["barrier", "b", "--group", "g", "--rank", "0"],
        ["barrier", "b", "--parties", "2", "--double"],
        ["barrier", "b", "--parties", "2", "--", "true"],
        ["barrier", "b", "--parties", "513", "--double", "--", "true"],
        ["barrier", "b", "--group", "g", "--double", "--", "true"],
        ["latch"], ["latch", "a", "--down"], ["latch", "a", "--count", "0", "--down"],
        ["latch", "a", "--count", "2", "--down", "--wait"],
        ["latch", "a", "--count", "2", "--down", "--timeout", "1s"],
        ["latch", "a", "--count", "2", "--wait", "--timeout", "0"],
        ["latch", "a", "--remove", "--local"],
        ["lease", "renew", "a", "--token", "x"], ["lease", "grant", "a", "--holder", "h"],
    ])
    func `that makes no sense is wrong usage`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) {
            try ConclaveCommand.parseAsRoot(arguments)
        }
        #expect(error.map { ConclaveCommand.exitCode(for: $0).rawValue } == 64)
    }

    @Test(
        arguments: [
            ("7", .version(Version(7))),
            ("1970-01-01T00:00Z", .time(Timestamp(microseconds: 0))),
            ("2000-02-29T00:00:00Z", .time(Timestamp(microseconds: 951_782_400_000_000))),
            ("2024-03-01T00:00:00.123Z", .time(Timestamp(microseconds: 1_709_251_200_123_000))),
            ("2099-12-31T23:59:59Z", .time(Timestamp(microseconds: 4_102_444_799_000_000))),
        ] as [(String, ConfigurationMoment)])
    func `takes a moment as a version or a time`(text: String, moment: ConfigurationMoment) {
        #expect(MomentArgument(argument: text)?.moment == moment)
    }

    @Test(arguments: [
        "03:12 97920000", "03:12Z 97920000", "12:00:00 43200000", "12:00:00.001 43200001",
        "11:59 129540000", "23:59 86340000",
    ])
    func `takes a time without a date as the last time it was that`(expected: String) throws {
        let words = expected.split(separator: " ")
        let text = String(words[0])
        let milliseconds = try #require(UInt64(words[1]))
        // A millisecond before noon on the second day.
        let now = Timestamp(microseconds: (86_400_000 + 43_199_999) * 1_000)
        let moment = MomentArgument(text, now: now)
        #expect(moment?.moment == .time(Timestamp(microseconds: milliseconds * 1_000)))
        #expect(moment?.words.hasPrefix("1970-01-0") == true)
    }

    @Test func `says what a duration or a moment must look like`() {
        for words in [
            ["history", "a", "--at", "yesterday"], ["lock", "a", "--wait", "soon", "--", "true"],
            ["release", "a", "--within", "-5s"],
        ] {
            do {
                _ = try ConclaveCommand.parseAsRoot(words)
                Issue.record("\(words) were taken")
            } catch {
                let form = AcceptedForm.words(for: ConclaveCommand.message(for: error))
                #expect(form?.contains(words[0] == "history" ? "03:12" : "30s") == true)
            }
        }
        for (option, form) in [
            ("--priority <number>", "-2147483648"), ("--permits <count>", "4294967295"),
            ("<limit>", "from 1"), ("--era-at-least <number>", "65535"),
            ("--rank <rank>", "from 0"),
        ] {
            let message = "The value 'x' is invalid for '\(option)'"
            #expect(AcceptedForm.words(for: message)?.contains(form) == true)
        }
        #expect(HistoryKindArgument(argument: "leaderSlot") == .slot)
        #expect(AcceptedForm.words(for: "Missing expected argument '<name>'") == nil)
        #expect(
            AcceptedForm.words(for: "The value '' is invalid for '<key>'")
                == "a name has 1 to 255 bytes, and no control characters")
        for text in ["250ms", "30s", "2m"] {
            #expect(DurationArgument(argument: text)?.description == text)
        }
    }

    @Test(arguments: [
        "", "-1", "2024-03-01", "2024-03-01T00:00", "2024-13-01T00:00Z", "2024-03-01T24:00Z",
        "2024-03-01T00:00:00.1Z", "1969-12-31T00:00Z", "2024-3-1T00:00Z", "٢-01-01T00:00Z",
        "2023-02-29T00:00Z", "2100-02-29T00:00Z", "2024-04-31T00:00Z", "2024-12-32T00:00Z",
    ])
    func `refuses what is no moment`(text: String) {
        #expect(MomentArgument(argument: text) == nil)
    }

    @Test func `takes what a transaction demands and does`() throws {
        let parsed = try ConclaveCommand.parseAsRoot([
            "transaction", "--if-version", "a=7", "--if-absent", "b", "--put", "a=x=y", "--put",
            "b=", "--delete", "c",
        ])
        let transaction = try #require(parsed as? TransactionCommand)
        #expect(
            try transaction.compares() == [
                ConfigurationCompare("a", is: .version(Version(7))),
                ConfigurationCompare("b", is: .absent),
            ])
        #expect(
            try transaction.changes() == [.put("a", "x=y"), .put("b", ""), .delete("c")])
    }

    @Test func `explains itself`() {
        for command in ConclaveCommand.configuration.subcommands {
            let help = ConclaveCommand.helpMessage(for: command, columns: 100)
            #expect(help.contains("Exit codes: "), "\(command)")
            #expect(help.contains("  conclave "), "\(command)")
        }
    }
}

@Suite struct `An exit code` {
    @Test(arguments: [
        (ConclaveError.Code.busy, 1), (.timedOut, 1), (.barrierBroken, 1), (.deadlock, 1),
        (.invalid, 64), (.disconnected, 69), (.unavailable, 69), (.sessionEnded, 75),
        (.outcomeUnknown, 75), (.lost, 76), (.denied, 77),
    ])
    func `says why a request failed`(code: ConclaveError.Code, expected: Int) {
        #expect(ExitStatus(for: ConclaveError(code, "")).code == Int32(expected))
    }

    @Test func `is the command's own, or says what killed it`() {
        #expect(ExitStatus(of: .exited(3), forwarded: []).code == 3)
        #expect(ExitStatus(of: .killed(signal: 9), forwarded: []).code == 137)
        #expect(ExitStatus(of: .killed(signal: 15), forwarded: [2]).code == 143)
    }

    @Test func `of a command that ended by a signal passed on to it says interrupted`() {
        #expect(ExitStatus(of: .killed(signal: 15), forwarded: [15]).code == 130)
        #expect(ExitStatus(of: .exited(0), forwarded: [15]).code == 0)
    }
}

import CConclaveLinux
import ConclaveSimulation
import Foundation
import TestSupport

/// A program with some sessions at each daemon, all of which write histories.
final class HostClients {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Program {
        var running: Running
        var history: String
    }

    private static let sessionsPerProgram = 6
    /// Sessions of one program have numbers below those of the next one.
    private static let numbersPerProgram = 1_000_000
    /// The longest wait of an operation, the session's ttl, and what a busy machine adds.
    private static let patience = 6.0 + 5 + 10

    private let group: Group
    private var programs: [Int: Program] = [:]
    private var histories: [String] = []
    private var isOver: String { group.directory.file("over") }
    private var deaths: String { group.directory.file("history-of-deaths") }

    init(_ group: Group) {
        self.group = group
    }

    func start() throws {
        for node in 1...group.count { try start(at: node) }
    }

    private func start(at node: Int) throws {
        let number = histories.count + 1
        let history = group.directory.file("history-\(number)")
        let arguments = [
            "--socket", group.socket(node), "--history", history, "--until", isOver,
            "--first-process", "\(number * Self.numbersPerProgram)",
            "--seed", "\(number)", "--workers", "\(Self.sessionsPerProgram)",
        ]
        let running = try Running(Programs.workload, arguments, in: group.directory)
        programs[node] = Program(running: running, history: history)
        histories.append(history)
    }

    /// Kills what is there, writes down that it died, and starts another one.
    func replace(at node: Int) throws {
        guard let program = programs[node] else { return }
        guard program.running.isRunning else {
            throw Failure(description: "a client has ended: \(program.running.errors)")
        }
        program.running.kill()
        try noteDeaths(in: program.history)
        try start(at: node)
    }

    private func noteDeaths(in history: String) throws {
        let now = conclave_linux_boot_time()
        let text = (try? String(contentsOfFile: history, encoding: .utf8)) ?? ""
        // It may have been writing a line when it was killed.
        let lines = text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
        var alive: Set<UInt64> = []
        for line in lines {
            let event = try HistoryEvent(line: line)
            switch event.kind {
            case .goodbye, .lost: alive.remove(event.process)
            case .called: alive.insert(event.process)
            default: break
            }
        }
        try lines.map { $0 + "\n" }.joined().write(
            toFile: history, atomically: true, encoding: .utf8)
        let known = (try? String(contentsOfFile: deaths, encoding: .utf8)) ?? ""
        let died = alive.sorted().map {
            HistoryEvent(at: now, process: $0, .died(since: nil)).line + "\n"
        }
        try (known + died.joined()).write(toFile: deaths, atomically: true, encoding: .utf8)
    }

    // MARK: - The end

    /// Lets every program come to its end, and adds up how often there was each answer.
    func finish() throws -> [String: Int] {
        _ = try group.directory.write("", to: "over")
        var sums: [String: Int] = [:]
        for (node, program) in programs.sorted(by: { $0.key < $1.key }) {
            let ending = try program.running.end(seconds: Self.patience + 10)
            guard ending.status == 0 else {
                throw Failure(description: "a client ended with \(ending)")
            }
            for line in ending.output.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let number = Int(words[1]) else { continue }
                let key = String(words[0])
                if key == "longest" {
                    print("            the longest at daemon \(node): \(line.dropFirst(8))")
                    sums[key] = max(sums[key, default: 0], number)
                } else {
                    sums[key, default: 0] += number
                }
            }
        }
        guard sums["unanswered"] == 0, Double(sums["longest"] ?? 0) <= Self.patience * 1_000 else {
            throw Failure(description: "not every request ended in time: \(sums)")
        }
        return sums
    }

    /// What the checkers find in everything that was written down.
    func check() throws -> Running.Ending {
        // Deaths come last: what a process had done says how long it lived at least.
        let files = histories + [deaths].filter(FileManager.default.fileExists)
        return try Running(
            Programs.simulator, ["--check-history"] + files, in: group.directory
        ).end(seconds: 300)
    }
}

// A scheduler that runs on one machine at a time, and on another one when that dies.
//
// Each process stands for leader of a slot. Whoever leads runs a job every so many milliseconds, and
// publishes which run it was; the others follow that, and one of them takes over when the leader has
// died, its host is lost or it has lost its term.
//
// The runs are numbered across all leaders. A leader claims each before it begins it: it sets a key to
// the number, provided that the key is as the leader has seen it last. So no run is begun twice, also
// by a leader that was paused and does not know yet that another one leads: its claim fails. (What the
// job itself writes elsewhere should be guarded by the term's token: see the example fenced-writer.)
// A run that was claimed by a leader which died then may not have come to its end.
//
// With one daemon, `conclaved --single`, and $CONCLAVE_SOCKET naming its socket (see README.md):
//
//     for n in 1 2 3; do scheduler nightly --milliseconds 1000 & done
//     conclave leader nightly              # names the leader's process: kill -9 that
//     conclave leader nightly              # the next one goes on from there

import ArgumentParser
import Conclave
import Glibc

@main struct Scheduler: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Runs a job again and again, on one machine at a time, until it is killed.")

    /// Before it tries again when there is no daemon.
    private static let pause = Duration.seconds(1)
    /// With these it stands again, with a new session.
    private static let passing: [ConclaveError.Code] = [
        .lost, .sessionEnded, .outcomeUnknown, .disconnected, .unavailable,
    ]

    @Argument(help: "The leader slot, and the beginning of the key that counts the runs.")
    var slot: String

    @Option(help: "How long it is from one run to the next.")
    var milliseconds = 1000

    func validate() throws {
        guard milliseconds > 0 else { throw ValidationError("0 milliseconds are no pause") }
    }

    func run() async throws {
        while true {
            do {
                try await serve(try await Conclave.connect(label: "scheduler"))
            } catch let error as ConclaveError where Self.passing.contains(error.code) {
                say("stands again: \(error)")
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// Follows whoever leads, and leads when it is its turn, until the session is lost.
    private func serve(_ conclave: Conclave) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await follow(conclave) }
            tasks.addTask {
                while true {
                    try await conclave.withLeadership(of: slot, value: "elected") { term in
                        try await lead(term, conclave)
                    }
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    private func follow(_ conclave: Conclave) async throws {
        for try await change in conclave.leader(of: slot) {
            guard let leader = change.leader else {
                say("nobody leads")
                continue
            }
            say("process \(leader.pid) on host \(leader.host) leads: \(leader.text)")
        }
    }

    /// Runs the job until the term is over: the task is cancelled then.
    private func lead(_ term: Term, _ conclave: Conclave) async throws {
        say("leads in term \(term.token), the one before: \(term.previousEnd)")
        var counter = try await RunCounter(conclave.configuration, key: "\(slot)/runs")
        let period = Duration.milliseconds(milliseconds)
        var due = ContinuousClock.now
        while true {
            guard let number = try await counter.claimNext() else {
                return say("another one has claimed a run: resigns")
            }
            // The claim may have taken long; and then it is nobody's.
            guard term.isValid else { return }
            try await job(number, term)
            try await term.announce("run \(number)")
            // What was missed is not made up for.
            due = max(due + period, ContinuousClock.now)
            try await Task.sleep(until: due, clock: .continuous)
        }
    }

    /// The job itself; here it only says that it was run.
    private func job(_ number: UInt64, _ term: Term) async throws {
        say("run \(number) in term \(term.token)")
    }
}

/// Prints a line at once, also where a file or a pipe reads it.
private func say(_ line: String) {
    print(line)
    fflush(nil)
}

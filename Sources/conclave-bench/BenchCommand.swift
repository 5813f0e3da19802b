import ArgumentParser
import Conclave

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-bench",
        abstract: "Measures a group of daemons as a program sees it.",
        discussion: """
            Starts daemons of its own on loopback (--cluster N) and stops them at the end, or uses \
            running ones (--socket). Names, units and JSON fields are those of the peers' kit, so \
            that one summary shows Conclave beside them.

              lock.solo        one client, one lock: acquire, release, pair, rate
              lock.parallel    --workers tasks, a lock each, over --conns connections
              lock.handoff     --workers sessions on one lock: from the call of
                               release until the next one has it
              barrier.last     --workers parties: from the last one's arrival until
                               all are through
              barrier.break    --workers parties wait for one more, and one of them, a
                               process, is killed: until all others are told so
              elect.kill9      from the kill of the leading candidate until the next
                               one is elected
              gap.server_kill  longest time without a success for a steady client
                               while another daemon is killed; needs --cluster
              rss.idle         resident memory of all daemons
              view.change      a member is killed while --objects locks are held: from
                               the suspicion until each survivor serves, as they
                               log it; needs --cluster with three or more
              join.blank       a client each of two daemons takes and releases a lock
                               while a third joins with an empty directory; ratio:
                               p99 then to p99 in quiet; needs --cluster 3 or more

              conclave-bench --cluster 3 --durability disk lock.solo lock.parallel --json

            conclaved is looked for in $CONCLAVED, then beside this program.
            """)

    @Option(help: ArgumentHelp("Start so many daemons.", valueName: "count"))
    var cluster: Int?

    @Option(help: "disk or memory, of the daemons that are started.")
    var durability = Durability.disk

    @Option(help: ArgumentHelp("Use running daemons, separated by commas.", valueName: "paths"))
    var socket: String?

    @Option(help: ArgumentHelp("Length of a timed phase, in seconds.", valueName: "seconds"))
    var secs = 8.0

    @Option(help: "Tasks, sessions or parties at once.")
    var workers = 16

    @Option(help: "Connections that lock.parallel spreads its tasks over.")
    var conns = 4

    @Option(help: "Rounds of barrier.last, barrier.break, elect.kill9, view.change and join.blank.")
    var rounds = 10

    @Option(help: "Locks that are held during view.change and join.blank, over --conns sessions.")
    var objects = 100_000

    @Flag(help: "Print JSON, one object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Where the data of the daemons goes, in a directory that is removed at the end.",
            valueName: "path"))
    var dir: String?

    @Argument(help: "What to measure.")
    var measures: [Measure]

    func validate() throws {
        guard (cluster != nil) != (socket != nil) else {
            throw ValidationError("give either --cluster or --socket")
        }
        if let cluster, !(1...16).contains(cluster) {
            throw ValidationError("--cluster must be 1 to 16")
        }
        guard secs > 0, workers > 0, conns > 0, rounds > 0, objects >= 0 else {
            throw ValidationError("--secs, --workers, --conns and --rounds must be positive")
        }
    }

    func run() throws {
        let interrupts = Interrupts()
        let group = try makeGroup(interrupts)
        defer { group.stop() }
        let report = Report(
            json: json, common: [Field("durability", .text(group.durability))])
        report.describe(directory: group.directory)
        for measure in measures {
            let bench = Bench(
                group: group, options: self,
                report: report.with(Machine.calibrate(group.directory)),
                interrupts: interrupts)
            try measure.run(bench)
        }
    }

    private func makeGroup(_ interrupts: Interrupts) throws -> Group {
        if let socket {
            return try Group(sockets: socket.split(separator: ",").map(String.init), interrupts)
        }
        return try Group(
            starting: cluster ?? 1, isDurable: durability == .disk, directory: dir, interrupts)
    }
}

enum Durability: String, ExpressibleByArgument {
    case disk, memory
}

enum Measure: String, ExpressibleByArgument, CaseIterable {
    case lockSolo = "lock.solo"
    case lockParallel = "lock.parallel"
    case lockHandoff = "lock.handoff"
    case barrierLast = "barrier.last"
    case barrierBreak = "barrier.break"
    case electKill9 = "elect.kill9"
    case gapServerKill = "gap.server_kill"
    case rssIdle = "rss.idle"
    case viewChange = "view.change"
    case joinBlank = "join.blank"

    func run(_ bench: Bench) throws {
        switch self {
        case .lockSolo: try LockSolo(bench).run()
        case .lockParallel: try LockParallel(bench).run()
        case .lockHandoff: try LockHandoff(bench).run()
        case .barrierLast: try BarrierLast(bench).run()
        case .barrierBreak: try BarrierBreak(bench).run()
        case .electKill9: try ElectKill9(bench).run()
        case .gapServerKill: try GapServerKill(bench).run()
        case .rssIdle: RSSIdle(bench).run()
        case .viewChange: try ViewChange(bench).run()
        case .joinBlank: try JoinBlank(bench).run()
        }
    }
}

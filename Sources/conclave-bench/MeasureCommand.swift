import ArgumentParser
import Conclave

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measures a group of daemons as a program sees it.",
        discussion: """
            Starts daemons of its own on loopback (--cluster N) and stops them at the end, or uses \
            running ones (--socket). Clients are in this program, unless it says otherwise; their \
            connections are spread over the daemons. 'conclave-bench compare' and Tests/peers use \
            the same names, units and JSON fields.

              lock.solo        one client, one lock: acquire, release, pair, rate
              lock.parallel    --workers tasks, a lock each, over --conns connections
              lock.handoff     --workers sessions on one lock: from the call of
                               release until the next one has it
              barrier.last     --workers parties: from the last one's arrival until
                               all are through
              barrier.storm    the same when all arrive at once
              barrier.leave    --workers parties inside a double barrier leave at once:
                               from then until all are out
              barrier.break    --workers parties wait for one more, and one of them, a
                               process, is killed: until all others are told so
              elect.kill9      from the kill of the leading candidate, a process,
                               until the next one is elected
              elect.close      the same when it closes its session
              gap.server_kill  longest time without a success for a steady client
                               while another daemon is killed; needs --cluster
              watch.notify     from the call of put until a watcher, another session at
                               the same daemon or at another, is told; put_ack: until
                               the writer has its answer
              watch.fanout     from the call of put until all of --workers watchers, over
                               --conns connections, are told
              mcast.latency    a task group with a member at each daemon: from the call
                               of send, one at a time, until the sender itself is told
                               the message, ordered among all, over the client socket
              mcast.rate       ordered messages a second that one member of such a
                               group is told while one member, then every one, keeps
                               --workers sends of --bytes on their way
              mcast.kill9      a member, a process, is killed: until a member at
                               another daemon is told the view without it
              cpu.per10k       CPU seconds of all daemons for 10,000 pairs, as of
                               lock.parallel; client_cpu: of this program
              cpu.idle         CPU time of a daemon that nobody asks anything, in per
                               cent of a core
              rss.idle         resident memory of all daemons
              rss.held         the same while --objects locks are held over --conns
                               sessions; bytes_per_lock: what a daemon needs for each
              view.change      a member is killed while --objects locks are held: from
                               the suspicion until each survivor serves, as they
                               log it; needs --cluster with three or more
              join.blank       a client each of two daemons takes and releases a lock
                               while a third joins with an empty directory; ratio:
                               p99 then to p99 in quiet; needs --cluster 3 or more
              start.all        all members are killed while --objects locks are held, and
                               started together: until all serve, with what is on
                               their disks; needs --cluster

              conclave-bench --cluster 3 --durability disk lock.solo lock.parallel --json

            With --rate, lock.solo and lock.parallel begin so many pairs a second at fixed times, \
            whether or not earlier ones are answered. Each counts from the time at which it should \
            have begun, also when all --workers were still busy then, and also the time that a \
            timer here is late by (late_us). Those that never began in twice --secs count with \
            what they had waited by then (unsent).

            conclaved is looked for in $CONCLAVED, then beside this program.

            Exit codes: 0; 1 a measure failed; 64 wrong usage; 69 no daemon, or no program to \
            start one; 130 interrupted.
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

    @Option(help: "Connections that lock.parallel and watch.fanout are spread over.")
    var conns = 4

    @Option(
        help: """
            Rounds of barrier.*, elect.*, mcast.kill9, view.change, join.blank and \
            start.all.
            """)
    var rounds = 10

    @Option(help: "Locks that are held during rss.held, view.change, join.blank and start.all.")
    var objects = 100_000

    @Option(help: "Length of a message of mcast.latency and mcast.rate.")
    var bytes = 64

    @Option(help: ArgumentHelp("Begin so many pairs a second.", valueName: "pairs"))
    var rate: Int?

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
        guard secs > 0, secs <= 86_400 else {
            throw ValidationError("--secs must be more than 0, and a day at most")
        }
        let counts = [("workers", workers), ("conns", conns), ("rounds", rounds)]
        for (name, count) in counts where !(1...1_000_000).contains(count) {
            throw ValidationError("--\(name) must be 1 to 1000000")
        }
        guard objects >= 0 else { throw ValidationError("--objects must not be negative") }
        guard (0...65_536).contains(bytes) else {
            throw ValidationError("--bytes must be 0 to 65536")
        }
        if let rate, !(1...10_000_000).contains(rate) {
            throw ValidationError("--rate must be 1 to 10000000")
        }
        for measure in measures { try check(measure) }
    }

    private func check(_ measure: Measure) throws {
        let name = measure.rawValue
        if rate != nil, !measure.takesRate {
            throw ValidationError("--rate is for lock.solo and lock.parallel, not for \(name)")
        }
        if measure.daemonsToKill > 0, cluster ?? 0 < measure.daemonsToKill {
            throw ValidationError(
                "\(name) kills daemons: it needs --cluster \(measure.daemonsToKill) or more")
        }
        if measure == .barrierBreak, workers < 2 {
            throw ValidationError("\(name) needs --workers 2 or more")
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

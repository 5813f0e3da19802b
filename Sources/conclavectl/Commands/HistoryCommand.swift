import ArgumentParser
import Conclave

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell what happened to something: who was granted it, and how that ended.",
        discussion: """
            Prints every grant, release, loss, term, trip and break of the lock, leader slot, barrier \
            or lease of that name, the oldest first: time, version, view, what, who and why; of a \
            semaphore each change of its limit; of a lock with a --lock-delay when it was closed and \
            open again. With --at, who held it at that moment, and the last event before. Renewals \
            of leases, and what a leader announces, are not recorded.

            The group keeps the last 1,024 events of one object and 65,536 of all; the last line says \
            from when on nothing is missing, unless --limit leaves something out. The answer holds \
            everything that was acknowledged before the question; --local asks this host's daemon for \
            its own copy, also outside the majority.

              conclave history db/migrate
              conclave history scheduler --kind slot --limit 10
              conclave history db/migrate --at 2026-03-01T03:12:00Z
              at 2026-03-01T03:12:00Z lock db/migrate was held by
                session 5 (node 1, pid 4711, uid 0), token 77, since 2026-03-01T03:10:00.120Z
              2026-03-01T03:10:00.120Z  version 77  view 4  lock granted to session 5 …

            Exit codes: 0 also if nothing is known of that name; 1 the moment is before what is kept; \
            64 wrong usage, or a moment still to come; 69 no daemon, or outside the majority; 77 not \
            permitted.
            """)

    @Argument(help: "The name of the lock, slot, barrier or lease.")
    var name: NameArgument

    @Option(help: "Only of a lock (or semaphore), slot, lease or barrier.")
    var kind: HistoryKindArgument?

    @Option(
        help: ArgumentHelp(
            "Who held it at a version or a time in UTC (2026-03-01T03:12:00Z; 03:12 is the last).",
            valueName: "moment"))
    var at: MomentArgument?

    @Option(
        help: ArgumentHelp(
            "So many events, the newest; else all, or with --at the last one.", valueName: "count"))
    var limit: Int?

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() throws {
        let (name, kind, at, local, json) = (name.text, kind?.kind, at, local, common.json)
        let limit = limit ?? (at == nil ? nil : 1)
        try ask(common, local: local) { conclave in
            let history = try await conclave.history(
                of: name, kind: kind, at: at?.moment ?? .now, limit: limit, local: local)
            Output.standard(json ? history.json.description : history.text(of: kind, at: at?.words))
        }
    }
}

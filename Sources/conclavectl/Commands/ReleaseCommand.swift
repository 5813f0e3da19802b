import ArgumentParser
import Conclave

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Have whoever holds a lock let go of it.",
        discussion: """
            Asks the holders first: a command under 'conclave lock' gets SIGTERM, and the lock is \
            given back when it has ended; a program hears of it by the library. With --force the \
            session of whoever still holds the lock then ends, with all that it has: as soon as \
            its process can no longer believe in it. --within 0s asks nobody.

              conclave release db/migrate
              conclave release db/migrate --within 5m --force

            """ + RevokingOptions.exitCodes)

    @Argument(help: "The lock or semaphore.")
    var name: NameArgument

    @OptionGroup var options: RevokingOptions

    func run() throws {
        try revoke(.lock, name.text, options)
    }
}

struct ResignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resign",
        abstract: "Have the leader of a slot resign.",
        discussion: """
            As 'conclave release' has a lock released: the leader is asked, and with --force its \
            session ends if it has not resigned in time. The next standby leads then. Of a slot \
            with places all leaders are asked.

              conclave resign scheduler

            """ + RevokingOptions.exitCodes)

    @Argument(help: "The leader slot.")
    var slot: NameArgument

    @OptionGroup var options: RevokingOptions

    func run() throws {
        try revoke(.leaderSlot, slot.text, options)
    }
}

struct HandoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover",
        abstract: "Have the leader of a slot hand over to a standby.",
        discussion: """
            As 'conclave resign', but the leader names the standby that leads next, before all \
            others; 'conclave why SLOT' shows their sessions. A program that does not listen, or is \
            ended by --force, hands over to nobody: then the next standby leads.

              conclave handover scheduler --to 281474976710719

            """ + RevokingOptions.exitCodes)

    @Argument(help: "The leader slot.")
    var slot: NameArgument

    @Option(help: "The session of the standby.", transform: sessionID)
    var to: SessionID

    @OptionGroup var options: RevokingOptions

    func run() throws {
        try revoke(.leaderSlot, slot.text, options, heir: to)
    }
}

struct EvictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evict",
        abstract: "End a session by force, with all that it has and waits for.",
        discussion: """
            It ends as soon as its process can no longer believe in it: at once if its daemon is \
            there, else when its time has passed. 'conclave sessions' lists them, 'conclave why' \
            names those that hold and await something.

              conclave evict 281474976710719

            Only root and the user that conclaved runs as may do this.

            Exit codes: 0, it ends; 1 there is no such session; 64 wrong usage; 69 no daemon, or \
            outside the majority; 75 nobody knows yet, ask again; 77 not permitted.
            """)

    @Argument(help: "The session.", transform: sessionID)
    var session: SessionID

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (session, json) = (session, common.json)
        try ask(common) { conclave in
            try await conclave.endSession(session)
            await conclave.close()
            let report = JSON.object(["session": .unsigned(session.number), "ends": .bool(true)])
            Output.standard(json ? report.description : "session \(session) ends")
        }
    }
}

private func sessionID(_ text: String) throws -> SessionID {
    guard let number = UInt64(text) else {
        throw ValidationError("'\(text)' is no session: 'conclave why' shows them as numbers.")
    }
    return SessionID(number)
}

private func revoke(
    _ kind: ObjectStatus.Kind, _ name: String, _ options: RevokingOptions, heir: SessionID? = nil
) throws {
    let revoking = Revoking(
        kind: kind, name: name, heir: heir, within: options.within.duration,
        isForceful: options.force, json: options.common.json)
    try ask(options.common) { try await revoking.run($0) }
}

import ArgumentParser
import Conclave

/// What all have in common of their help.
private let exitCodes = """
    Exit codes: 0; 1 somebody else has it, or too much; 64 wrong usage; 69 no daemon, or outside \
    the majority; 75 nobody knows whether it was done; 76 not held under this token, any more or \
    ever; 77 not permitted.
    """

struct LeaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lease",
        abstract: "Grant, renew, release, transfer and show rights for a time.",
        discussion: """
            A lease belongs to whom its holder's name says, and to no process: it outlives the \
            command that asked for it, and ends by itself when nobody renews it in time. Commands of \
            the same user, and root's, may renew, release or transfer it by its token, from any \
            host. Where one process does the work, take a lock: that goes with it.

              token=$(conclave lease grant backup/db --ttl 60s --holder nightly)
              conclave lease renew backup/db --token "$token"
              conclave lease release backup/db --token "$token"

            """ + exitCodes,
        subcommands: [
            LeaseGrantCommand.self, LeaseRenewCommand.self, LeaseReleaseCommand.self,
            LeaseTransferCommand.self, LeaseShowCommand.self, LeaseListCommand.self,
        ])
}

struct LeaseGrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Take a lease that nobody has; prints its token.",
        discussion: """
            Nobody else gets it before the time has passed that --ttl says, counted from the \
            call; its end is put off by 'conclave lease renew'. With --json also for how long it \
            is valid from now on.

            """ + exitCodes)

    @Argument(help: "The lease: up to 255 bytes, '/' separates levels.")
    var name: NameArgument

    @Option(
        help: ArgumentHelp(
            "How long it lasts (30s, 5m, 1h), within the bounds that 'conclave timing' shows.",
            valueName: "duration"))
    var ttl: DurationArgument

    @Option(help: "Who is to have it, as others are told: up to 255 bytes.")
    var holder: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, ttl, holder, json) = (name.text, ttl.duration, holder, common.json)
        try ask(common) { conclave in
            let lease = try await conclave.leases.grant(name, to: holder, for: ttl)
            Output.standard(json ? lease.json.description : "\(lease.token)")
            await conclave.close()
        }
    }
}

struct LeaseRenewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Have the time of a lease begin anew.",
        discussion: exitCodes)

    @Argument(help: "The lease.")
    var name: NameArgument

    @OptionGroup var proof: LeaseProof

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, token, json) = (name.text, proof.token.token, common.json)
        try ask(common) { conclave in
            let lease = try await conclave.leases.renew(name, token: token)
            Output.standard(json ? lease.json.description : lease.sentence)
            await conclave.close()
        }
    }
}

struct LeaseReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "End a lease: the next one who asks gets it.",
        discussion: exitCodes)

    @Argument(help: "The lease.")
    var name: NameArgument

    @OptionGroup var proof: LeaseProof

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, token, json) = (name.text, proof.token.token, common.json)
        try ask(common) { conclave in
            try await conclave.leases.release(name, token: token)
            let report = JSON.object(["name": .string(name), "released": .bool(true)])
            Output.standard(json ? report.description : "lease \(name.shown) is released")
            await conclave.close()
        }
    }
}

struct LeaseTransferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Give a lease to somebody else; prints their token.",
        discussion: """
            Nobody can have it in between. The old token is worth nothing from then on.

              conclave lease transfer backup/db --token "$token" --holder weekly

            """ + exitCodes)

    @Argument(help: "The lease.")
    var name: NameArgument

    @OptionGroup var proof: LeaseProof

    @Option(help: "Who is to have it, as others are told.")
    var holder: String

    @Option(
        help: ArgumentHelp(
            "How long it lasts then; by default as long as before.", valueName: "duration"))
    var ttl: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, token, holder, ttl) = (name.text, proof.token.token, holder, ttl?.duration)
        let json = common.json
        try ask(common) { conclave in
            let lease = try await conclave.leases.transfer(
                name, token: token, to: holder, for: ttl)
            Output.standard(json ? lease.json.description : "\(lease.token)")
            await conclave.close()
        }
    }
}

struct LeaseShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show who has a lease, and for how long.",
        discussion: """
            The answer holds everything that was acknowledged before the question; --local asks \
            this host's daemon for its own copy, also outside the majority.

            Exit codes: 0; 1 nobody has it; 64 wrong usage; 69 no daemon, or outside the majority; \
            77 not permitted.
            """)

    @Argument(help: "The lease.")
    var name: NameArgument

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, local, json) = (name.text, local, common.json)
        try ask(common) { conclave in
            guard let lease = try await conclave.leases.show(name, local: local) else {
                Output.standard(json ? JSON.null.description : "nobody has lease \(name.shown)")
                throw ExitStatus(ExitStatus.notObtained)
            }
            Output.standard(json ? lease.json.description : lease.text)
        }
    }
}

struct LeaseListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List leases, who has them and for how long.",
        discussion: """
            With --json one object a line.

            Exit codes: 0; 64 wrong usage; 69 no daemon, or outside the majority; 77 not permitted.
            """)

    @Argument(help: "Only names that begin so.")
    var prefix = ""

    @Flag(help: "From the own copy of this host's daemon, which may be behind.")
    var local = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (prefix, local, json) = (prefix, local, common.json)
        try ask(common) { conclave in
            let leases = try await conclave.leases.list(prefix: prefix, local: local)
            if json {
                for lease in leases { Output.standard(lease.json.description) }
            } else {
                Output.standard(leases.table)
            }
        }
    }
}

struct LeaseProof: ParsableArguments {
    @Option(help: "The token that it was granted or transferred under.")
    var token: TokenArgument
}

struct TokenArgument: ExpressibleByArgument, Equatable {
    var token: FencingToken

    init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        token = FencingToken(number)
    }
}

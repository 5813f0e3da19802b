import ArgumentParser
import Conclave

struct LeaseGrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Take a lease that nobody has; prints its token.",
        discussion: """
            Nobody else gets it before the time has passed that --ttl says, counted from the \
            call; its end is put off by 'conclave lease renew'. With --json also for how long it \
            is valid from now on.


            """ + LeaseCommand.exitCodes)

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
        let (name, ttl, holder) = (name.text, ttl.duration, holder)
        try tellLease(common, name, { "\($0.token)" }) {
            try await $0.grant(name, to: holder, for: ttl)
        }
    }
}

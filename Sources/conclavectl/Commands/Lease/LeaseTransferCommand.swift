import ArgumentParser
import Conclave

struct LeaseTransferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Give a lease to somebody else; prints their token.",
        discussion: """
            Nobody can have it in between. The old token is worth nothing from then on.

              conclave lease transfer backup/db --token "$token" --holder weekly


            """ + LeaseCommand.exitCodes)

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
        try tellLease(common, name, { "\($0.token)" }) {
            try await $0.transfer(name, token: token, to: holder, for: ttl)
        }
    }
}

import ArgumentParser
import Conclave

struct LeaseRenewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Have the time of a lease begin anew.",
        discussion: LeaseCommand.exitCodes)

    @Argument(help: "The lease.")
    var name: NameArgument

    @OptionGroup var proof: LeaseProof

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, token) = (name.text, proof.token.token)
        try tellLease(common, name, \.sentence) { try await $0.renew(name, token: token) }
    }
}

import ArgumentParser
import Conclave

struct LeaseReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "End a lease: the next one who asks gets it.",
        discussion: LeaseCommand.exitCodes)

    @Argument(help: "The lease.")
    var name: NameArgument

    @OptionGroup var proof: LeaseProof

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, token, json) = (name.text, proof.token.token, common.json)
        try ask(common, see: "lease show \(name)") { conclave in
            try await conclave.leases.release(name, token: token)
            let report = JSON.object(["name": .string(name), "released": .bool(true)])
            Output.standard(json ? report.description : "lease \(name.shown) is released")
            await conclave.close()
        }
    }
}

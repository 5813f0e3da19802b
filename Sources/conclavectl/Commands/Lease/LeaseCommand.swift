import ArgumentParser
import Conclave

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

    /// What those that change one have in common of their help.
    static let exitCodes = """
        Exit codes: 0; 1 somebody else has it, or too much; 64 wrong usage; 69 no daemon, or \
        outside the majority; 75 nobody knows whether it was done; 76 not held under this token, any \
        more or ever; 77 not permitted.
        """
}

/// Has a lease granted or changed by `body`, and says what became of it.
func tellLease(
    _ common: CommonOptions, _ name: String, _ text: @escaping @Sendable (Lease) -> String,
    _ body: @escaping @Sendable (Leases) async throws -> Lease
) throws {
    let json = common.json
    try ask(common, see: "lease show \(name)") { conclave in
        let lease = try await body(conclave.leases)
        Output.standard(json ? lease.json.description : text(lease))
        await conclave.close()
    }
}

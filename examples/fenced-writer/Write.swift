import ArgumentParser
import Conclave
import Glibc
import PacketSockets

struct Write: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes one file, under the lock of the same name.",
        discussion: "Ends with status 1 if the lock was lost, or the store refused the writing.")

    @Argument(help: "The store's directory.")
    var store: String

    @Argument(help: "The file's name in the store, and the lock's.")
    var file: String

    @Argument(help: "What the file is to hold.")
    var text: String

    @Flag(help: "Stop this process between looking at the lock and writing, until SIGCONT.")
    var pause = false

    func run() async throws {
        let conclave = try await Conclave.connect(label: "fenced-writer")
        do {
            try await conclave.withLock(file) { lock in
                say("token \(lock.token)")
                try writeWhileHolding(lock)
            }
        } catch let error as ConclaveError where error.code == .lost {
            say("lost \(file): \(error.message)")
            throw ExitCode.failure
        }
        await conclave.close()
    }

    private func writeWhileHolding(_ lock: borrowing Lock) throws {
        // It is asked, as it should be; and yet the answer may be out of date a moment later.
        guard lock.isValid else { return }
        if pause { raise(SIGSTOP) }

        let client = StoreClient(directory: store)
        switch try client.write(text, to: file, token: lock.token.number) {
        case .written:
            say("written")
        case .refused(let newest):
            say("refused: token \(lock.token) is too late, \(file) was written with \(newest)")
            throw ExitCode.failure
        case .invalid(let reason):
            throw Failure(reason)
        }
    }
}

import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// A lock or a term in this process's hands, until it is given up, once.
final class Holding: Sendable {
    /// Keeps the session open as long as something of it is held.
    private let conclave: Conclave
    private let giveUp: Operation
    /// Who waits for what is held to be given up.
    let taskPath: TaskPath
    private let isGivenUp = Atomic<Bool>(false)

    /// `giveUp` is what releases it.
    init(_ conclave: Conclave, giveUp: Operation, taskPath: TaskPath) {
        self.conclave = conclave
        self.giveUp = giveUp
        self.taskPath = taskPath
    }

    var session: ClientSession { conclave.session }

    var deadline: Instant {
        isGivenUp.load(ordering: .acquiring) ? .distantPast : session.page.deadline ?? .distantPast
    }

    var isValid: Bool { BootClock.now < deadline }

    /// Gives it up and waits until the group has taken it back. It counts as given up from the
    /// moment of the call.
    ///
    /// - Throws: `lost` if it was not held any more.
    func release() async throws {
        let wasValid = isValid
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let answer = await session.answerRegardless(to: giveUp)
        if case .reply(.done) = answer { return }
        guard wasValid, !isRefusal(answer) else {
            throw ConclaveError(.lost, reason(answer))
        }
    }

    /// As `release`, without waiting.
    func releaseLater() {
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
        session.send(giveUp)
    }

    private func isRefusal(_ answer: ClientCore.Answer) -> Bool {
        if case .failed(.refused) = answer { true } else { false }
    }

    private func reason(_ answer: ClientCore.Answer) -> String {
        guard let error = ConclaveError.failure(of: answer) as? ConclaveError else {
            return "its deadline has passed"
        }
        return error.message
    }
}

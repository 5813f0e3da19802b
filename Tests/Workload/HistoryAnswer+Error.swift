import Conclave
import ConclaveSimulation
import ConclaveWire

extension HistoryAnswer {
    /// What the library's error says about the operation's effect.
    init(_ error: any Error) {
        guard let error = error as? ConclaveError else {
            self = error is CancellationError ? .cancelled : .unknown
            return
        }
        switch error.code {
        case .busy: self = .busy(holder: nil)
        case .timedOut, .unavailable: self = .cancelled
        case .barrierBroken: self = error.barrierReport.flatMap(HistoryAnswer.init) ?? .unknown
        case .sessionEnded: self = .unknown
        default:
            let refusal = UInt16(exactly: error.code.number).flatMap(RefusalCode.init)
            self = refusal.map(HistoryAnswer.refused) ?? .unknown
        }
    }

    private init?(_ report: BarrierReport) {
        let reasons = BarrierBreakReason.allCases
        guard let reason = reasons.first(where: { "\($0)" == report.reason.description }) else {
            return nil
        }
        self = .broken(generation: report.generation, reason)
    }
}

extension ConclaveWire.PreviousEnd {
    /// By the name that both have.
    init(named end: String) {
        guard let known = Self.allCases.first(where: { "\($0)" == end }) else {
            preconditionFailure("nothing held ends as \(end)")
        }
        self = known
    }
}

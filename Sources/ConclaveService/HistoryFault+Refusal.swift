import ConclaveBase
import ConclaveCoordination
import ConclaveWire

extension HistoryFault {
    /// `what`: whose history is asked for.
    func refusal(of what: String) -> Refusal {
        switch self {
        case .gone(let floor, let time):
            Refusal(
                .historyGone,
                "the history of \(what) is kept from version \(floor) on, \(time.iso8601)")
        case .notReached(let version, let time):
            Refusal(
                .invalid,
                "that is still to come: this copy reaches to version \(version), "
                    + "\(time.iso8601); a question that is not local reaches to now")
        }
    }
}

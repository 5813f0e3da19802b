import Conclave

extension HoldRequest {
    /// Who has what was not free, in the words of `conclave why` in place of the session's number.
    func explaining(_ error: ConclaveError) async -> ConclaveError {
        guard error.code == .busy, let (names, mode) = kind.locks(name),
            let conclave = try? await Conclave.connect(socket: socket)
        else { return error }
        let deadline = ContinuousClock.now.advanced(by: .seconds(1))
        for name in names where ContinuousClock.now < deadline {
            let explanation = try? await conclave.why(name, local: true, wait: .seconds(1))
            guard let lock = explanation?.objects.first(where: { $0.kind == .lock }),
                let why = lock.whatBars(mode)
            else { continue }
            let subject = names.count > 1 ? "lock \(name) is " : ""
            return ConclaveError(.busy, subject + why)
        }
        return error
    }
}

extension HoldRequest.Kind {
    /// `nil`: it asks for no lock.
    fileprivate func locks(_ name: String) -> (names: [String], mode: Lock.Mode)? {
        switch self {
        case .lock(let mode): ([name], mode)
        case .locks(let names, let mode): (names, mode)
        case .leadership, .membership, .doubleBarrier: nil
        }
    }
}

extension ObjectStatus {
    /// Why a lock is not granted at once in that mode; `nil`: it is.
    fileprivate func whatBars(_ mode: Lock.Mode) -> String? {
        if let closedFor { return "closed for \(closedFor.text) since a holder was lost" }
        if let holder = holders.first, mode.isBarred(by: holders.map(\.mode), limit: limit) {
            return "held by \(holder.details)"
        }
        return waiters.first.map { "kept for \($0.details)" }
    }
}

extension Lock.Mode {
    fileprivate func isBarred(by others: [Self], limit: UInt32?) -> Bool {
        switch self {
        case .exclusive: !others.isEmpty
        case .shared: others.contains { $0 != .shared }
        case .permits(let count, let named):
            others.reduce(UInt64(count)) { $0 + UInt64($1.permitCount ?? 0) }
                > limit ?? named ?? .max
        }
    }
}

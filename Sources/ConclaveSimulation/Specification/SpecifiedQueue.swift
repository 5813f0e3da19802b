import ConclaveBase
import ConclaveWire

/// A lock or a leader slot: who holds it and who waits, in order.
struct SpecifiedQueue {
    struct Claim: Equatable {
        var session: SessionID
        var number: UInt64
        var mode: LockMode
        var value: [UInt8]
        /// 0 while it waits.
        var token: UInt64 = 0
    }

    var holders: [Claim] = []
    var waiters: [Claim] = []
    var previousEnd = PreviousEnd.none
    var previousValue: [UInt8] = []

    var isUnused: Bool { holders.isEmpty && waiters.isEmpty }

    var valueByteCount: Int {
        (holders + waiters).reduce(0) { $0 + $1.value.count }
    }

    func admits(_ mode: LockMode) -> Bool {
        holders.isEmpty || (mode == .shared && holders.allSatisfy { $0.mode == .shared })
    }

    /// The request by which a session holds it or waits.
    func request(of session: SessionID) -> UInt64? {
        (holders + waiters).first { $0.session == session }?.number
    }

    func holds(_ session: SessionID, under token: FencingToken) -> Bool {
        holders.contains { $0.session == session && $0.token == token.number }
    }
}

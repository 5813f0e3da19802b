import ConclaveBase
import ConclaveWire

/// A lock that is held changes its mode.
extension ClaimTable {
    enum UpgradeOutcome: Equatable {
        case granted
        case queued
        /// Another holder waits for the same: each would wait for the other.
        case isWanted(by: Int)
    }

    /// Shares what is held alone. Nobody is granted by it: see `grantNext`.
    mutating func downgrade(_ claim: Int) {
        changeMode(of: claim, to: .shared)
    }

    /// Takes alone what is held with others, or waits for them to let go. `isOpen`: grants are not
    /// suspended.
    mutating func upgrade(
        _ claim: Int, by request: UInt64, isOpen: Bool, at moment: Moment
    ) -> UpgradeOutcome {
        let object = claims[claim].object
        if let other = objects[object].upgrading { return .isWanted(by: other) }
        beginUpgrade(of: claim, by: request)
        guard isOpen, grantUpgrade(of: object, at: moment) != nil else { return .queued }
        return .granted
    }

    /// The claim that has the object alone now, since all others have let go, and the request that
    /// wanted that.
    mutating func grantUpgrade(
        of object: Int, at moment: Moment
    ) -> (claim: Int, request: UInt64)? {
        guard let claim = objects[object].upgrading, objects[object].holders.count == 1,
            objects[object].reserved.isEmpty, objects[object].closure == nil,
            let request = claims[claim].upgrade
        else { return nil }
        cancelUpgrade(of: claim)
        changeMode(of: claim, to: .exclusive)
        renew(claim, at: moment)
        return (claim, request)
    }

    /// What its upgrade waits for: all that hold it but the claim itself.
    func others(than claim: Int) -> Int {
        let object = objects[claims[claim].object]
        return object.holders.count - 1 + object.reserved.count
    }
}

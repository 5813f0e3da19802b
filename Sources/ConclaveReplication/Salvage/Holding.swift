import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// What a member knows and has, for one that is asked to go on without the others.
struct Holding: Equatable {
    /// A state, and how much of its epoch was received beyond it.
    struct State: Equatable {
        var epoch: Epoch
        /// For each sender of that epoch, how many of its messages are held without a gap.
        var vector: [UInt64]

        private var messageCount: UInt64 {
            vector.reduce(0) { sum, count in
                let (value, isTooLarge) = sum.addingReportingOverflow(count)
                return isTooLarge ? .max : value
            }
        }

        /// More of a history is what reaches further, and then what holds more messages.
        static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.epoch.number, lhs.messageCount) < (rhs.epoch.number, rhs.messageCount)
        }
    }

    /// The newest view that it knows.
    var newest: NextView?
    var mayVote: Bool
    /// Of any version, view or snapshot that it knows of.
    var highestEra: UInt16
    var state: State?

    /// It has the state of the newest view that it knows.
    var isLevel: Bool { newest != nil && state?.epoch == newest?.epoch }

    /// Whether the one that has this, and is called `node`, is to go on rather than the one that has
    /// `own`. Of two that have as much it is the lower number, so that they do not send the operator to
    /// and fro. Who has no state is as good as another one without, if it knows a view.
    func isBetter(at node: NodeID, than own: Holding, at ownNode: NodeID) -> Bool {
        switch (state, own.state) {
        case (let theirs?, let own?):
            if own < theirs { return true }
            return !(theirs < own) && node < ownNode
        case (nil, nil): return newest != nil && node < ownNode
        case (let theirs, nil): return theirs != nil
        case (nil, _?): return false
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.flag(newest != nil)
        newest?.encode(into: &writer)
        writer.flag(mayVote)
        writer.integer(highestEra)
        writer.flag(state != nil)
        guard let state else { return }
        writer.integer(state.epoch.number)
        writer.list(state.vector) { $1.integer($0) }
    }
}

extension Holding {
    init(from reader: inout ByteReader) throws(WireError) {
        newest = try reader.flag("has a view") ? try NextView(from: &reader) : nil
        mayVote = try reader.flag("may vote")
        highestEra = try reader.integer("era")
        guard highestEra <= NextView.lastEra else {
            throw .invalid(field: "era", reason: "is the last one")
        }
        guard try reader.flag("has a state") else {
            state = nil
            return
        }
        let epoch = try reader.epoch("epoch")
        var vector: [UInt64] = []
        for _ in 0..<(try reader.count("vector", maximum: View.maximumMembers)) {
            vector.append(try reader.integer("vector"))
        }
        state = State(epoch: epoch, vector: vector)
    }
}

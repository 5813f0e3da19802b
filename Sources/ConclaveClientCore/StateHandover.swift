package import ConclaveBase
package import ConclaveWire

/// What a member that has its group's state owes to newcomers, as the views tell it.
///
/// Others rely on this: the member of the lowest rank that has the state is the one to hand it over,
/// and each newcomer is handed it once by one member, unless that did not succeed.
package struct StateProvision: Sendable {
    private let own: FencingToken
    private var provided: Set<FencingToken> = []

    package init(own: FencingToken) {
        self.own = own
    }

    /// The newcomers of a view that are to be handed the state as of that view, by rank.
    package func due(
        among members: [(token: FencingToken, possession: StatePossession)]
    ) -> [FencingToken] {
        guard members.first(where: { $0.possession == .held })?.token == own else { return [] }
        return members.filter { $0.possession == .wanted && !provided.contains($0.token) }
            .map(\.token)
    }

    package mutating func note(provided newcomer: FencingToken) { provided.insert(newcomer) }
}

/// A newcomer's way to the state of its group: it puts together what it is handed, or begins a state
/// when nobody has one.
///
/// Others rely on this: what `takeRequest` gives is to be asked for, and `refused` to be called if the
/// answer is no; the newcomer has the state when it is told the view in which it does, and not before:
/// until then somebody else may begin another one.
package struct StateAdoption: Sendable {
    package enum Request: Equatable, Sendable {
        /// Nobody has a state, and this newcomer is the first that wants it.
        case found
        /// All of it is here.
        case adopt([UInt8], upTo: Version)

        /// Of `Operation.adoptState`.
        package var upTo: Version? {
            if case .adopt(_, let version) = self { version } else { nil }
        }
    }

    /// The state, and up to where what the group was told is in it already.
    package struct Adopted: Equatable, Sendable {
        /// `nil`: this member has begun it.
        package let state: [UInt8]?
        package let upTo: Version

        package init(state: [UInt8]?, upTo: Version) {
            self.state = state
            self.upTo = upTo
        }
    }

    private let own: FencingToken
    private var parts: [[UInt8]?] = []
    /// Of the parts.
    private var upTo = Version.zero
    private var wanted: Request?
    private var asked: Request?
    package private(set) var adopted: Adopted?

    package init(own: FencingToken) {
        self.own = own
    }

    /// - Returns: False if it can come to nothing any more: what it was handed may be lost.
    package mutating func take(_ update: ClientCore.GroupUpdate) -> Bool {
        switch update {
        case .state(let picture, let isResync):
            if isResync { return false }
            review(picture)
        case .view(let picture, _, _, _): review(picture)
        case .adopted(let picture, _, let member):
            if member?.token == own { adopt(at: picture.version) } else { review(picture) }
        case .provided(let state): take(state)
        case .message: break
        case .over: return false
        }
        return true
    }

    /// What is to be asked for now, once.
    package mutating func takeRequest() -> Request? {
        guard asked == nil, let wanted else { return nil }
        asked = wanted
        self.wanted = nil
        return wanted
    }

    /// What was asked for cannot be: another member has begun a state meanwhile, which will come.
    package mutating func refused() { asked = nil }

    private mutating func adopt(at version: Version) {
        switch asked {
        case .adopt(let state, let upTo)?: adopted = Adopted(state: state, upTo: upTo)
        case .found?, nil: adopted = Adopted(state: nil, upTo: version)
        }
    }

    private mutating func review(_ picture: ClientCore.GroupPicture) {
        let hasHolder = picture.members.contains { $0.possession == .held }
        let first = picture.members.first { $0.possession == .wanted }
        if case .adopt? = wanted { return }
        wanted = !hasHolder && first?.token == own ? .found : nil
    }

    private mutating func take(_ state: ProvidedState) {
        // What comes later is what counts: the provider before is gone, or has begun again.
        guard state.upTo >= upTo else { return }
        if state.upTo > upTo || parts.count != state.partCount {
            upTo = state.upTo
            parts = Array(repeating: nil, count: Int(state.partCount))
        }
        parts[Int(state.part)] = state.payload
        guard !parts.contains(nil) else { return }
        wanted = .adopt(parts.flatMap { $0 ?? [] }, upTo: upTo)
        parts = []
    }
}

extension ProvidedState {
    /// A state in parts that each fit a request.
    package static func parts(
        of state: [UInt8], from provider: FencingToken, to newcomer: FencingToken,
        upTo version: Version, partByteCount: Int = ClientLimits.groupStatePart
    ) -> [ProvidedState] {
        let count = max(1, (state.count + partByteCount - 1) / partByteCount)
        return (0..<count).map { part in
            let bytes = state.dropFirst(part * partByteCount).prefix(partByteCount)
            return ProvidedState(
                from: provider, to: newcomer, upTo: version, part: UInt32(part),
                partCount: UInt32(count), payload: Array(bytes))
        }
    }
}

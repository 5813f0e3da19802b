import ConclaveBase
import ConclaveWire

/// C5 for leases: until when, in true time, whoever was answered may believe to have each one.
struct LeaseBeliefs {
    private struct Belief {
        var token: FencingToken
        var until: Moment
    }

    private var beliefs: [ObjectName: [Belief]] = [:]
    /// Those that somebody has asked to be released or transferred: whatever comes of that.
    private var givenUp: Set<FencingToken> = []
    /// Those that were ended since nobody had renewed them.
    private var expired: Set<FencingToken> = []

    mutating func giveUp(_ token: FencingToken, of name: ObjectName) {
        givenUp.insert(token)
        beliefs[name]?.removeAll { $0.token == token }
    }

    /// It is ended since nobody has renewed it: then nobody believes in it any more.
    mutating func expire(_ token: FencingToken, of name: ObjectName, now: Moment) -> Violation? {
        expired.insert(token)
        guard let belief = beliefs[name]?.first(where: { $0.token == token }), belief.until > now
        else { return nil }
        return Self.isEnded(name, token, belief.until.since(now))
    }

    private static func isEnded(
        _ name: ObjectName, _ token: FencingToken, _ left: Interval
    ) -> Violation {
        Violation(
            .mutualExclusion,
            "lease \(name) under token \(token) is over, and is believed in for \(left) longer")
    }

    /// An answer says that it is had under that token, and makes believe so until `until`.
    mutating func note(
        _ grant: LeaseGrant, until: Moment, now: Moment
    ) throws(Violation) {
        guard !givenUp.contains(grant.token), until > now else { return }
        if expired.contains(grant.token) {
            throw Self.isEnded(grant.name, grant.token, until.since(now))
        }
        var known = beliefs[grant.name, default: []].filter { $0.until > now }
        if let place = known.firstIndex(where: { $0.token == grant.token }) {
            known[place].until = max(known[place].until, until)
        } else {
            known.append(Belief(token: grant.token, until: until))
        }
        beliefs[grant.name] = known
        guard known.count > 1 else { return }
        throw Violation(
            .mutualExclusion,
            "lease \(grant.name) is valid under token \(known[0].token) for "
                + "\(known[0].until.since(now)), and under token \(known[1].token)")
    }
}

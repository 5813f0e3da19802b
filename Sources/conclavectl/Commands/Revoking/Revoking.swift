import Conclave

/// Has those who hold something let go of it: asks, waits, and ends their sessions if it may.
struct Revoking: Sendable {
    var kind: ObjectStatus.Kind
    var name: String
    var heir: SessionID?
    var within: Duration
    var isForceful: Bool
    var json: Bool

    private static let pause = Duration.milliseconds(200)
    /// How long the end of a session by force is waited for: where its daemon is gone it takes the ttl.
    private static let patience = Duration.seconds(60)

    func run(_ conclave: Conclave) async throws {
        // One of several leaders, whose place the heir is to have.
        let all = try await holders(conclave)
        let holders = heir == nil ? all : Array(all.prefix(1))
        guard !holders.isEmpty else {
            return try end(released: false, try await absence(conclave))
        }
        if within > .zero { try await askAll(holders, conclave) }
        var rest = try await rest(of: holders, after: within, conclave)
        var forced: [Claim] = []
        if !rest.isEmpty, isForceful {
            forced = rest
            for holder in rest {
                try await ignoringLateness {
                    try await conclave.forceRelease(of: name, kind, by: holder)
                }
            }
            rest = try await self.rest(of: rest, after: Self.patience, conclave)
        }
        guard rest.isEmpty else {
            await conclave.close()
            let who = rest.map { "session \($0.session) (\($0.who))" }.joined(separator: ", ")
            let advice = isForceful ? "" : "; --force ends its session"
            return try end(
                released: false, "\(name.shown) is still held by \(who)\(advice)", forced)
        }
        if let heir, !(try await self.holders(conclave)).contains(where: { $0.session == heir }) {
            await conclave.close()
            return try end(
                released: false, "\(name.shown) is let go of, but session \(heir) does not lead",
                forced)
        }
        await conclave.close()
        try end(released: true, "\(name.shown) is let go of", forced)
    }

    /// Another thing may have that name, which another command takes.
    private func absence(_ conclave: Conclave) async throws -> String {
        let others = try await conclave.why(name).objects.filter {
            $0.kind != kind && !$0.holders.isEmpty
        }
        guard let other = others.first else { return "nobody has \(name.shown)" }
        let command = other.kind == .leaderSlot ? "resign" : "release"
        return
            "nobody has \(kind.words) \(name.shown), but \(other.kind.words) \(name.shown) is held: see "
            + "'conclave \(command)'"
    }

    private func askAll(_ holders: [Claim], _ conclave: Conclave) async throws {
        for holder in holders {
            let ask = {
                try await conclave.ask(
                    holder, toLetGoOf: name, kind, within: within, heir: heir)
            }
            // Who does not stand by is a mistake.
            if heir == nil { try await ignoringLateness(ask) } else { try await ask() }
        }
    }

    /// What was let go of meanwhile need not be asked for.
    private func ignoringLateness(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as ConclaveError where error.code == .notHeld || error.code == .refused {
            return
        }
    }

    private func holders(_ conclave: Conclave) async throws -> [Claim] {
        try await conclave.why(name).objects.first { $0.kind == kind }?.holders ?? []
    }

    /// Those of `holders` who hold it still after so long, at most.
    private func rest(
        of holders: [Claim], after patience: Duration, _ conclave: Conclave
    ) async throws -> [Claim] {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while true {
            let now = try await self.holders(conclave)
            let rest = holders.filter { holder in
                now.contains { $0.session == holder.session && $0.token == holder.token }
            }
            guard !rest.isEmpty, ContinuousClock.now < deadline else { return rest }
            try await ContinuousClock().sleep(for: Self.pause)
        }
    }

    private func end(released: Bool, _ sentence: String, _ forced: [Claim] = []) throws {
        if json {
            Output.standard(
                JSON.object([
                    "name": .string(name), "kind": .string(kind.description),
                    "released": .bool(released),
                    "forced": .array(forced.map { .unsigned($0.session.number) }),
                ]).description)
        } else if released {
            Output.standard(sentence)
        } else {
            Output.error(sentence)
        }
        if !released { throw ExitStatus(ExitStatus.notObtained) }
    }
}

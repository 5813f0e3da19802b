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
        let first = try await conclave.why(name)
        // Those who have it now, whom one answer may not all name; others may be granted it meanwhile.
        let newest = FencingToken(first.version.number)
        var count = first.objects.first { $0.kind == kind }?.holderCount ?? 0
        // One of several leaders, whose place the heir is to have.
        let maximum = heir == nil ? Int.max : 1
        var holders = Array(self.holders(first, upTo: newest).prefix(maximum))
        guard !holders.isEmpty else {
            return try end(released: false, absence(first), wasHeld: false)
        }
        let deadline = ContinuousClock.now.advanced(by: within)
        var left = within
        var forced: [Claim] = []
        while !holders.isEmpty, count > 0 {
            count -= holders.count
            var rest = try await askAll(holders, within: left, until: deadline, conclave)
            if !rest.isEmpty, isForceful {
                forced += rest
                rest = try await force(rest, conclave)
            }
            guard rest.isEmpty else {
                await conclave.close()
                return try end(released: false, refusal(by: rest), forced)
            }
            if heir != nil { break }
            left = deadline - ContinuousClock.now
            holders = self.holders(try await conclave.why(name), upTo: newest)
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

    private func refusal(by rest: [Claim]) -> String {
        let who = rest.map { "session \($0.session) (\($0.who))" }.joined(separator: ", ")
        let advice = isForceful ? "" : "; --force ends its session"
        return "\(name.shown) is still held by \(who)\(advice)"
    }

    private func force(_ holders: [Claim], _ conclave: Conclave) async throws -> [Claim] {
        for holder in holders {
            try await ignoringLateness {
                try await conclave.forceRelease(of: name, kind, by: holder)
            }
        }
        return try await rest(
            of: holders, until: ContinuousClock.now.advanced(by: Self.patience), conclave)
    }

    /// Another thing may have that name, which another command takes.
    private func absence(_ explanation: Explanation) -> String {
        let others = explanation.objects.filter {
            $0.kind != kind && !$0.holders.isEmpty
        }
        guard let other = others.first else {
            return "nobody has \(name.shown): see 'conclave locks'"
        }
        let command = other.kind == .leaderSlot ? "resign" : "release"
        return
            "nobody has \(kind.words) \(name.shown), but \(other.kind.words) \(name.shown) is held: see "
            + "'conclave \(command)'"
    }

    /// Returns those who hold it still at `deadline`.
    private func askAll(
        _ holders: [Claim], within: Duration, until deadline: ContinuousClock.Instant,
        _ conclave: Conclave
    ) async throws -> [Claim] {
        for holder in holders where within > .zero {
            let ask = {
                try await conclave.ask(
                    holder, toLetGoOf: name, kind, within: within, heir: heir)
            }
            // Who does not stand by is a mistake.
            if heir == nil { try await ignoringLateness(ask) } else { try await ask() }
        }
        return try await rest(of: holders, until: deadline, conclave)
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
        holders(try await conclave.why(name))
    }

    private func holders(
        _ explanation: Explanation, upTo newest: FencingToken? = nil
    ) -> [Claim] {
        let all = explanation.objects.first { $0.kind == kind }?.holders ?? []
        return all.filter { ($0.token?.number ?? 0) <= newest?.number ?? .max }
    }

    /// Those of `holders` who hold it still at `deadline`.
    private func rest(
        of holders: [Claim], until deadline: ContinuousClock.Instant, _ conclave: Conclave
    ) async throws -> [Claim] {
        while true {
            let now = try await self.holders(conclave)
            let rest = holders.filter { holder in
                now.contains { $0.session == holder.session && $0.token == holder.token }
            }
            guard !rest.isEmpty, ContinuousClock.now < deadline else { return rest }
            try await ContinuousClock().sleep(for: Self.pause)
        }
    }

    private func end(
        released: Bool, _ sentence: String, _ forced: [Claim] = [], wasHeld: Bool = true
    ) throws {
        if json {
            Output.standard(
                JSON.object([
                    "name": .string(name), "kind": .string(kind.description),
                    "released": .bool(released), "wasHeld": .bool(wasHeld),
                    "message": .string(sentence),
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

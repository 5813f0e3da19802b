import ConclaveBase
import ConclaveWire

/// C7 for double barriers: nobody leaves before all have come to leave who entered with it and are
/// still there.
struct DoubleBarrierChecker {
    private var entered: [UInt64: [FencingToken]] = [:]
    private var leaving: Set<FencingToken> = []

    /// Who entered in that generation, by token.
    func inside(_ generation: UInt64) -> [FencingToken] { entered[generation] ?? [] }

    mutating func leaves(_ token: FencingToken) { leaving.insert(token) }

    mutating func entered(_ result: BarrierResult) throws(Violation) {
        var tokens: [FencingToken] = []
        for party in result.parties {
            var reader = ByteReader(party.payload)
            if let token = try? reader.token("member") { tokens.append(token) }
        }
        tokens.sort()
        guard tokens.count == Int(DoubleBarrierProgram.parties),
            entered[result.generation] ?? tokens == tokens
        else { throw Violation(.barriers, "another \(tokens) entered by \(result)") }
        entered[result.generation] = tokens
    }

    func left(
        _ result: BarrierResult, generation: UInt64, members: [FencingToken]
    ) throws(Violation) {
        for token in inside(generation) where !leaving.contains(token) && members.contains(token) {
            throw Violation(
                .barriers, "\(result) was left, and member \(token) is inside and has not come")
        }
    }
}

import ArgumentParser
import Conclave

/// What shows that a lease is the one that is meant.
struct LeaseProof: ParsableArguments {
    @Option(help: "The token that it was granted or transferred under.")
    var token: TokenArgument
}

struct TokenArgument: ExpressibleByArgument, Equatable {
    var token: FencingToken

    init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        token = FencingToken(number)
    }
}

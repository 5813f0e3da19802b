// A parallel job whose processes meet at a barrier, and tell each other something there.
//
// N processes count the primes below a limit. At a first barrier each says how fast it is, and is
// told what all the others have said: so each knows its share of the numbers, without anybody who
// gives them out. When it has counted those it comes to the barrier again, with what it has found,
// and then all of them know the sum.
//
// All parties are told the same of a generation: that it tripped, with everybody's payload, or that it
// broke, why, and who is missing. A party that dies while it waits breaks it at once. One that dies on
// its way is waited for until somebody's timeout, and the report says that it is dead.
//
// With one daemon, `conclaved --single`, and $CONCLAVE_SOCKET naming its socket (see README.md):
//
//     for rank in 0 1 2 3; do batch-job primes --parties 4 --rank $rank --speed $((rank + 1)) & done
//     wait
//     for rank in 0 1 2; do batch-job primes --parties 4 --rank $rank & done
//     sleep 1; kill -9 %2                  # the others are told who it was

import ArgumentParser
import Conclave
import Glibc

@main struct BatchJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch-job",
        abstract: "Counts primes together with other processes, which meet at a barrier.",
        discussion: "Ends with status 1 if the barrier broke, and says who is missing.")

    @Argument(help: "The barrier.")
    var name: String

    @Option(help: "How many processes there are.")
    var parties: Int

    @Option(help: "Which of them this is, from 0 on.")
    var rank: Int

    @Option(help: "Its share of the numbers, in proportion to those of the others.")
    var speed = 1

    @Option(help: "Up to which number the primes are counted.")
    var limit = 1_000_000

    @Option(help: "How many seconds it waits for the others.")
    var timeout = 60

    func validate() throws {
        guard Job.possibleSpeeds.contains(speed), Job.possibleLimits.contains(limit) else {
            throw ValidationError(
                "the speed is from 1 to \(Job.possibleSpeeds.upperBound), "
                    + "the limit from 0 to \(Job.possibleLimits.upperBound)")
        }
        guard parties > 0, (0..<parties).contains(rank), timeout > 0 else {
            throw ValidationError("the rank is below the number of parties, the timeout not 0")
        }
    }

    func run() async throws {
        let conclave = try await Conclave.connect(label: "batch-job \(rank)")
        do {
            try await work(conclave)
        } catch let error as ConclaveError where error.code == .barrierBroken {
            tell(error)
            throw ExitCode.failure
        }
        await conclave.close()
    }

    private func work(_ conclave: Conclave) async throws {
        let speeds = try await meet(conclave, saying: speed, possible: Job.possibleSpeeds)
        let numbers = Job.share(of: rank, among: speeds, limit: limit)
        say("counts from \(numbers.lowerBound) to below \(numbers.upperBound)")
        let count = Job.primeCount(in: numbers)
        let counts = try await meet(conclave, saying: count, possible: 0...limit)
        say("\(counts.reduce(0, +)) primes below \(limit)")
    }

    /// Waits for the others, and prints what each of them says.
    ///
    /// - Returns: That, by rank.
    private func meet(
        _ conclave: Conclave, saying number: Int, possible: ClosedRange<Int>
    ) async throws -> [Int] {
        let generation = try await conclave.barrier(
            name, parties: parties, rank: rank, payload: "\(number)", timeout: .seconds(timeout)
        ).arriveAndWait()
        return try generation.parties.map { party in
            say("rank \(party.rank), process \(party.pid) on host \(party.host): \(party.text)")
            guard let number = Int(party.text), possible.contains(number) else {
                throw Failure("what rank \(party.rank) says is no number from \(possible)")
            }
            return number
        }
    }

    private func tell(_ error: ConclaveError) {
        say("broken: \(error.message)")
        for party in error.barrierReport?.missing ?? [] {
            var line = "rank \(party.rank) is missing"
            if let pid = party.pid, let host = party.host {
                line += ": process \(pid) on host \(host)"
                if party.hasEnded { line += ", which has ended" }
            }
            say(line)
        }
    }
}

/// What went wrong, in a sentence.
private struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Prints a line at once, also where a file or a pipe reads it.
private func say(_ line: String) {
    print(line)
    fflush(nil)
}

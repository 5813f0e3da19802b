import Conclave
import ConclaveBase
import ConclaveSimulation

extension Worker {
    /// Arrives at the barrier, and gives up when the others take too long.
    mutating func arrive(_ life: Life) async {
        // No arrival has the payload of another one.
        let payload = life.process.bytes + random.next().bytes
        let patience = number(in: 500...4_000)
        let call = life.begin(
            .arrive(
                parties: UInt32(Self.partyCount), rank: nil, generation: nil, payload: payload),
            on: Self.barrierName)
        let barrier = life.conclave.barrier(
            Self.barrierName.text, parties: Self.partyCount, payload: payload)
        let arrival = Task { try await barrier.arriveAndWait() }
        let impatience = Task {
            try await Task.sleep(for: .milliseconds(patience))
            life.giveUp(call)
            arrival.cancel()
        }
        let result = await arrival.result
        impatience.cancel()
        switch result {
        case .success(let generation):
            life.end(
                call,
                with: .tripped(
                    generation: generation.number, rank: UInt32(generation.rank),
                    payloads: generation.parties.map(\.payload)))
        case .failure(let error): life.fail(call, with: error)
        }
    }
}

import Conclave

let conclave = try await Conclave.connect()

// Waits for its turn. The body is cancelled when the lock is lost.
try await conclave.withLock("db/migrate", wait: .seconds(30)) { lock in
    print("token \(lock.token)")
}

// Runs the body once this process is the leader.
try await conclave.withLeadership(of: "scheduler", value: "here") { term in
    print("term \(term.token)")
}

// Returns when two processes have arrived.
let result = try await conclave.barrier("step-7", parties: 2, timeout: .seconds(60)).arriveAndWait()
print("rank \(result.rank) of generation \(result.number)")

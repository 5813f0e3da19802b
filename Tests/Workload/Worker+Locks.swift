import Conclave
import ConclaveSimulation
import ConclaveWire

extension Worker {
    /// Takes a lock, alone or shared, waiting or not, holds it, and gives it up.
    ///
    /// Returns whether the life goes on; if not, its end is written down.
    mutating func takeLock(_ life: Life) async -> Bool {
        let name = draw(Self.lockNames)
        let isShared = chance(of: 3)
        let isTry = chance(of: 4)
        let call = life.begin(
            .acquire(isShared ? LockMode.shared : .exclusive, isTry: isTry), on: name)
        let lock: Lock
        do {
            lock = try await life.conclave.lock(
                name.text, mode: isShared ? .shared : .exclusive,
                wait: isTry ? .zero : .milliseconds(number(in: 200...6_000)))
        } catch {
            life.fail(call, with: error)
            return true
        }
        life.end(call, with: .granted(lock.token, after: .init(named: "\(lock.previousEnd)")))
        await life.hold(lock.validity, milliseconds: number(in: 0...50))
        if chance(of: 60) {
            await life.end(holding: lock.validity)
            return false
        }
        let release = life.begin(.release(lock.token), on: name)
        let deadline = lock.validity.deadline
        do {
            try await lock.release()
            life.endLettingGo(release, heldUntil: deadline)
        } catch {
            life.fail(release, with: error)
        }
        return true
    }
}

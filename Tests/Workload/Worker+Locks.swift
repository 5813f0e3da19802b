import Conclave
import ConclaveBase
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
        if chance(of: 4), await !changeMode(of: lock, life, on: name) { return true }
        if chance(of: 60) {
            await life.end(holding: lock.validity)
            return false
        }
        let deadline = lock.validity.deadline
        let release = life.begin(.release(lock.token), on: name)
        do {
            try await lock.release()
            life.endLettingGo(release, heldUntil: deadline)
        } catch {
            life.fail(release, with: error)
        }
        return true
    }

    /// Shares what it has alone, or waits to have alone what it shares. Returns whether it is held
    /// still, as far as the life knows.
    private mutating func changeMode(
        of lock: borrowing Lock, _ life: Life, on name: ObjectName
    ) async -> Bool {
        let isDowngrade = lock.mode == .exclusive
        let call = life.begin(
            isDowngrade ? .downgrade(lock.token) : .upgrade(lock.token), on: name)
        do {
            if isDowngrade {
                try await lock.downgrade()
                life.end(call, with: .done)
            } else {
                try await lock.upgrade(wait: .milliseconds(number(in: 10...2_000)))
                life.end(
                    call, with: .granted(lock.token, after: .init(named: "\(lock.previousEnd)")))
            }
        } catch {
            life.fail(call, with: error)
        }
        return !life.isLost
    }
}

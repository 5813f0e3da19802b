import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// Commands that come too late, as from a daemon that was held back: each says what it is about, and
/// is of no effect when that is over (K1, K2); a request that comes again gets its answer again (K9).
extension ServiceWorld {
    func proposeLate(from daemon: SimulatedService) {
        guard daemon.host.replica.isServing, let command = lateCommand() else { return }
        world.trace { "LATE \(command)" }
        _ = daemon.host.replica.propose(command.bytes)
    }

    private func lateCommand() -> Command? {
        if random.chance(perMille: 300) { return repeatedRequest() }
        let epoch = world.order.view.epoch
        let past = Epoch(epoch.number - min(epoch.number, 1 + random.below(2)))
        guard let (session, attachment) = world.order.anySession(&random) else {
            return .openGrants(epoch: past)
        }
        let earlier = attachment.number - 1
        switch random.below(7) {
        case 0: return .end(session: session, attachment: earlier, reason: .died)
        case 1: return .end(session: session, attachment: earlier, reason: .expired)
        case 2: return .yieldAttachment(session: session, attachment: earlier)
        case 3: return .expire(session: session, attachment: earlier, epoch: epoch)
        case 4: return .expire(session: session, attachment: attachment.number, epoch: past)
        case 5: return .openGrants(epoch: past)
        default:
            // As long as the epoch lasts its members are not absent.
            guard world.order.view.contains(attachment.member) else { return nil }
            return .expire(session: session, attachment: attachment.number, epoch: epoch)
        }
    }

    private func repeatedRequest() -> Command? {
        guard let (session, number) = world.order.anyRequest(&random) else { return nil }
        let name = world.name(from: world.lockNames, &random)
        return .request(
            session: session, number: number, confirmed: 0,
            operation: .acquire(name: name, mode: .shared, isTry: true))
    }
}

import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// What goes wrong just when a session has been resumed, by its own process or by another one.
extension ServiceWorld {
    func wasResumed(_ session: SessionID) {
        guard let seat = seat(of: session) else { return hasHeir(session) }
        provokeTakeover(of: seat)
        provokeBreak(of: seat)
        provokeAbsence(of: seat)
        provokeHang(of: seat)
    }

    /// Its client has just resumed it, after its daemon had ended or elsewhere: a good time for
    /// another process to want it (K7), and for the client not to hear that it has it. It still goes
    /// by what it was shown before then.
    private func provokeTakeover(of seat: Int) {
        guard shape.faults.contains(.clientTakeover), !isFinishing, !faults.isStopped,
            random.chance(perMille: 300)
        else { return }
        if random.chance(perMille: 600) {
            seats[seat].inbox.pause(
                for: WorldShape.logarithmic(shape.heartbeat...shape.maximumSessionTTL, &random))
        }
        // While it has no connection it resumes the session itself, maybe behind the other's wish.
        if random.chance(perMille: 300) { breakLink(of: seat) }
        let pause = WorldShape.logarithmic(.microseconds(1) ... .milliseconds(20), &random)
        timeline.schedule(
            .work(index: Self.takeoverIndex, stamp: UInt32(seat)), after: pause)
    }

    /// A connection that breaks before the first confirmed heartbeat: all that its process was shown is
    /// on the page of the daemon before.
    private func provokeBreak(of seat: Int) {
        guard shape.faults.contains(.clientCut), !isFinishing, !faults.isStopped,
            random.chance(perMille: 150)
        else { return }
        let pause = WorldShape.logarithmic(.microseconds(100)...shape.heartbeat, &random)
        timeline.schedule(.work(index: Self.breakIndex, stamp: UInt32(seat)), after: pause)
    }

    /// Its daemon is cut off before it knows that it has the session, and learns so later, maybe as a
    /// part of a whole state; meanwhile another process wants it. What the daemon's run before has
    /// shown counts all the same (K7).
    private func provokeAbsence(of seat: Int) {
        let host = seats[seat].host
        guard shape.faults.contains(.clientTakeover), shape.faults.contains(.isolate),
            !isFinishing, !faults.isStopped, !shape.spared.contains(host),
            momentRandom.chance(perMille: 200)
        else { return }
        let absence = momentRandom.interval(in: shape.suspicion...shape.suspicion * 3)
        faults.isolate(host, for: absence)
        seats[seat].inbox.pause(for: absence * 2)
        let pause = WorldShape.logarithmic(.milliseconds(1)...absence * 2, &momentRandom)
        timeline.schedule(
            .work(index: Self.takeoverIndex, stamp: UInt32(seat)), after: pause)
    }

    // MARK: - After another process has it

    /// The process that had it may not have read so yet, and goes on sending.
    private func hasHeir(_ session: SessionID) {
        guard let seat = seats.firstIndex(where: { $0.client?.openedSession?.session == session }),
            momentRandom.chance(perMille: 500)
        else { return }
        let pause = WorldShape.logarithmic(.microseconds(1) ... .milliseconds(50), &momentRandom)
        timeline.schedule(
            .work(index: Self.lateWordIndex, stamp: UInt32(seat)), after: pause)
    }

    /// Nothing of it counts (C4, K7).
    func speakLate(in seat: Int) {
        guard let client = seats[seat].client, let opened = client.openedSession,
            let link = client.connection, links[link]?.isOpen == true,
            let owner = world.order.process(of: opened.session),
            !owner.isSameProcess(as: client.identity)
        else { return }
        let number = client.newestNumber + Self.farAhead
        world.trace { "client \(seat) asks for more in session \(opened.session), which it lost" }
        world.order.overtaken[opened.session, default: []].insert(number)
        let operation = Operation.acquire(
            name: world.name(from: world.lockNames, &momentRandom), mode: .shared, isTry: true)
        send(operation, number: number, confirmed: 0, on: link)
    }

    /// No request that a client or an heir sends by itself has such a number.
    private static var farAhead: UInt64 { 10_000 }

    /// Where the process runs that has the session now, if it is a client's.
    private func seat(of session: SessionID) -> Int? {
        guard let process = world.order.process(of: session) else { return nil }
        return seats.firstIndex { seat in
            guard let client = seat.client, client.session == session else { return false }
            return client.identity.isSameProcess(as: process)
        }
    }
}

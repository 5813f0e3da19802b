package import ConclaveBase
package import ConclaveFabric
package import ConclaveJournal
package import ConclaveReactor

/// What a runtime needs to know beforehand.
package struct RuntimeSettings: Sendable {
    package var own: Member
    /// Where the files are; the directory above must be there.
    package var directory: String
    /// Of all configured members, this one included. Empty: a group of one, which listens to
    /// nobody.
    package var addresses: [NodeID: SocketAddress]
    /// Of what all members must have been told alike.
    package var configurationDigest: UInt64
    /// Of what those must have been told alike who found a group.
    package var foundingDigest: UInt64
    /// A silence that long is a suspicion.
    package var suspicion: Interval

    package init(
        own: Member, directory: String, addresses: [NodeID: SocketAddress],
        configurationDigest: UInt64, foundingDigest: UInt64, suspicion: Interval
    ) {
        self.own = own
        self.directory = directory
        self.addresses = addresses
        self.configurationDigest = configurationDigest
        self.foundingDigest = foundingDigest
        self.suspicion = suspicion
    }

    fileprivate var fabric: FabricSettings {
        var fabric = FabricSettings()
        fabric.unheardLimit = max(fabric.unheardLimit, suspicion * 2)
        return fabric
    }
}

/// Why the machine's part could not be opened.
package enum RuntimeFault: Error, Equatable, Sendable {
    case directory(FileDiskFault)
    case address(SocketAddress, SystemError)
    case system(SystemError)
}

/// A reactor, a data directory and the network between members, joined to one engine.
///
/// All of it, the engine included, runs on the thread that calls `turn`.
package final class Runtime {
    private static let tolerableLateness = Interval.milliseconds(10)
    private static let drainingRounds = 64

    package let reactor: Reactor
    package let disk: FileDisk
    package let fabric: any Fabric
    let network: TCPFabric?
    /// Syncs take longer until then.
    var slowUntil = Instant.distantFuture
    private weak var engine: (any Engine)?
    /// By how much the last turn began later than it was to: the thread was busy, or not let run.
    package private(set) var lateness = Interval.zero

    /// Takes the directory's lock and listens; nothing is told before `start`.
    package init(_ settings: RuntimeSettings) throws(RuntimeFault) {
        do throws(SystemError) { reactor = try Reactor() } catch { throw .system(error) }
        do throws(FileDiskFault) {
            disk = try FileDisk(path: settings.directory)
        } catch {
            throw .directory(error)
        }
        guard let address = settings.addresses[settings.own.node] else {
            network = nil
            fabric = LonelyFabric()
            return
        }
        do throws(SystemError) {
            let network = try TCPFabric(
                own: settings.own, addresses: settings.addresses, listenAddress: address,
                lineage: .none, configurationDigest: settings.configurationDigest,
                foundingDigest: settings.foundingDigest, reactor: reactor,
                settings: settings.fabric)
            self.network = network
            fabric = network
        } catch {
            throw .address(address, error)
        }
    }

    /// From now on `engine` is told, also of what completed before.
    package func start(_ engine: any Engine) throws(SystemError) {
        self.engine = engine
        try disk.start(on: reactor, self)
        try network?.start(self)
    }

    /// One turn: waits at most until `deadline` or the engine's next tick, steps what came in into
    /// the engine, and sends what it collected.
    package func turn(until deadline: Instant) throws(SystemError) {
        guard let engine else { preconditionFailure("the runtime was not started") }
        try takeInputs(until: min(deadline, engine.nextTick, slowUntil))
        endSlowness()
        let now = reactor.now()
        if engine.nextTick <= now { engine.tick(now: now) }
        engine.endTurn(now: now, wallClock: reactor.wallClock())
        fabric.flush()
        engine.turned(now: now)
    }

    private func takeInputs(until wake: Instant) throws(SystemError) {
        try reactor.turn(until: wake)
        lateness = wake == .distantPast ? .zero : max(.zero, reactor.now().since(wake))
        // What came in while this thread was away is heard before anybody is judged (V10).
        var rounds = lateness > Self.tolerableLateness ? Self.drainingRounds : 0
        while rounds > 0, try reactor.turn(until: .distantPast) > 0 { rounds -= 1 }
    }

    /// Closes all paths, finishes what was given to the disk, and gives the directory back.
    package func close() {
        endDisturbances()
        network?.close()
        disk.close()
    }
}

extension Runtime: FabricSink {
    package func receive(_ input: FabricInput) {
        engine?.step(input, now: reactor.now())
    }

    package func report(_ event: FabricEvent) {
        engine?.report(event)
    }
}

extension Runtime: DiskSink {
    package func receive(_ input: DiskInput) {
        engine?.step(input, now: reactor.now())
    }
}

/// The network of a member that has no others.
private final class LonelyFabric: Fabric {
    func send(_ frame: [UInt8], to node: NodeID) {}
    func write(row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID) {}
    func disconnect(_ node: NodeID) {}
    func flush() {}
    func adopt(lineage: Lineage, givenUp: [Lineage]) {}
    func adopt(members: [MemberList.Entry]) {}
}

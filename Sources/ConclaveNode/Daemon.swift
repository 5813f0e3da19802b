package import ConclaveBase
package import ConclaveFabric
import ConclaveGroup
import ConclaveReactor
import ConclaveReplication
import ConclaveRuntime
import ConclaveService
import ConclaveWire
import Glibc
import Logging

/// A whole daemon: the host of one member, its clients, and what the system expects of a service.
///
/// One thread runs all of it. Inputs are stepped into the host as they come in; at the end of each
/// turn the members get what it collected, then the clients.
package final class Daemon {
    enum Phase: Equatable {
        case running
        /// The host takes its leave.
        case leaving
        /// It has left; clients get their last words until then.
        case parting(until: Instant)
        case ended
    }

    static let partingPatience = Interval.milliseconds(200)

    let configuration: Configuration
    private(set) var settings: Settings
    let runtime: Runtime
    let host: Host
    let clients: Clients
    private let page: ValidityPage
    private let socketFile: ClientSocketFile
    private let systemd = Systemd()
    private(set) var observer: Observer
    private let own: Member
    private var signals: SignalSource?
    private var effects: [HostEffect] = []
    private var serving = ServingState(isServing: false, reason: "starting")
    private(set) var phase = Phase.running
    private var fault: StartFault?
    /// The member list that was compared with the configuration last.
    private var comparedList = MemberList.empty
    /// Something came in after the host's turn was ended.
    private var hasInput = false
    /// For how long it is to stand still when this turn is done.
    private var stall = Interval.zero

    init(
        configuration: Configuration, settings: Settings, parts: Parts, observer: Observer
    ) {
        self.configuration = configuration
        self.settings = settings
        self.observer = observer
        runtime = parts.runtime
        host = parts.host
        clients = parts.clients
        page = parts.page
        socketFile = parts.socketFile
        own = parts.own
    }

    /// Runs until it was told to stop, or cannot go on. Nothing: it stopped in good order.
    package func run() -> StartFault? {
        do throws(SystemError) {
            signals = try SignalSource(
                [SIGTERM, SIGINT, SIGHUP], reactor: runtime.reactor, handler: self)
            try clients.start(self)
            try runtime.start(self)
            announce()
            while phase != .ended { try runtime.turn(until: deadline) }
        } catch {
            fault = StartFault(.broken, "the loop cannot go on: \(error)")
        }
        // Before the data directory is given back: whoever takes it next makes its own.
        socketFile.remove()
        guard fault == nil else {
            // What is wrong may be a disk that never answers: nothing is waited for.
            return fault
        }
        runtime.close()
        note(.stopped)
        return nil
    }

    private func announce() {
        note(
            .started(
                version: Release.version,
                settings: SettingKey.allCases.map { "\($0.rawValue)=\(settings.text(of: $0))" }
                    .joined(separator: " ")))
        note(.listening(path: socketFile.path, isActivated: socketFile.isActivated))
        if socketFile.lacksGroup { note(.withoutGroup(ClientSocketFile.group)) }
        showStatus()
    }

    /// When the loop has to turn at the latest, beside what the host wants.
    private var deadline: Instant {
        guard !hasInput else { return .distantPast }
        var deadline = min(systemd.nextSign, clients.nextDeadline)
        if case .parting(let end) = phase { deadline = min(deadline, end) }
        return deadline
    }

    // MARK: - Effects

    private func perform(_ effect: HostEffect, now: Instant) {
        switch effect {
        case .client(let effect): clients.perform(effect, now: now)
        case .event(let event):
            observer.observe(event)
            if case .listed(let list, _, _) = event { compare(list) }
            showStatus()
        case .serving(let state, let endingSince):
            serving = state
            // The work of this very turn counts too.
            let after = endingSince.map { runtime.reactor.now().since($0) }
            note(.serving(state.isServing, reason: state.reason, after: after))
            showStatus()
        case .disturb(let disturbance, let by): disturb(disturbance, by: by)
        case .fatal(let fault):
            self.fault = StartFault(fault)
            phase = .ended
        case .left, .removed:
            phase = .parting(until: now.advanced(by: Self.partingPatience))
        }
    }

    private func disturb(_ disturbance: Disturbance?, by: String) {
        note(.disturbed(disturbance, by: by))
        guard let disturbance else { return runtime.endDisturbances() }
        switch disturbance.kind {
        case .cut(let node): runtime.cut(node, for: disturbance.duration)
        case .slowDisk(let pause): runtime.slowDisk(by: pause, for: disturbance.duration)
        case .stall: stall = disturbance.duration
        }
    }

    /// The group's list counts; whoever reads the file should know.
    private func compare(_ list: MemberList) {
        guard !settings.members.isEmpty, list != comparedList else { return }
        comparedList = list
        let file = settings.members.map {
            MemberList.Entry(node: $0.node, address: Array("\($0.address)".utf8))
        }
        let configured = MemberList(file, givenMinimum: list.givenMinimum)
        if configured != list { note(.membersDiffer(list.nodes, configured: configured.nodes)) }
    }

    private func showStatus() {
        guard phase == .running else { return }
        let view = host.replica.view
        let place = view.rank(of: own.node).map { "rank \($0) of \(view.members.count)" }
        let status =
            serving.isServing
            ? "serving in view \(view.epoch), \(place ?? "not in it")"
            : "not serving: \(serving.reason)"
        systemd.show(isServing: serving.isServing, status: status)
    }

    // MARK: - Signals

    private func stop(_ name: String) {
        note(.stopping(signal: name))
        guard phase == .running else {
            // Whoever asks twice does not want to wait.
            phase = .ended
            return
        }
        phase = .leaving
        systemd.stopping()
        clients.stopAccepting()
        host.stop(now: runtime.reactor.now())
        hasInput = true
    }

    /// Takes over what may change at run time and says what may not.
    private func reload() {
        let new: Settings
        do throws(SettingsFaults) {
            new = try configuration.read()
        } catch {
            return note(.settingsRefused(error.faults))
        }
        let differences = new.differences(from: settings)
        let taken = differences.filter(\.mayChangeAtRunTime)
        observer.logger.logLevel = new.logLevel
        settings.logLevel = new.logLevel
        settings.connections = new.connections
        clients.maximumCount = new.connections
        note(.settingsTaken(taken))
        let others = differences.filter { !$0.mayChangeAtRunTime }
        let refused = others.filter { !$0.isOfFounding }
        if !refused.isEmpty { note(.settingsNeedRestart(refused)) }
        let ofFounding = others.filter(\.isOfFounding)
        if !ofFounding.isEmpty { note(.settingsOfFounding(ofFounding)) }
    }
}

extension Daemon: Engine {
    package func step(_ input: FabricInput, now: Instant) {
        host.step(.fabric(input), now: now)
    }

    package func step(_ input: DiskInput, now: Instant) {
        host.step(.disk(input), now: now)
    }

    package func tick(now: Instant) {
        host.step(.tick, now: now)
    }

    package var nextTick: Instant { host.nextTick }

    package func endTurn(now: Instant, wallClock: Timestamp) {
        hasInput = false
        if runtime.lateness > settings.heartbeat { note(.late(runtime.lateness)) }
        host.endTurn(now: now, wallClock: wallClock, effects: &effects)
    }

    package func turned(now: Instant) {
        for effect in effects where phase != .ended { perform(effect, now: now) }
        effects.removeAll(keepingCapacity: true)
        clients.flush(now: now)
        page.show(slot: ValidityPage.ownSlot, owner: own.incarnation.number, deadline: now)
        systemd.turned(now: now)
        host.work(now: now)
        if stall > .zero {
            runtime.standStill(for: stall)
            stall = .zero
        }
        if case .parting(let end) = phase, end <= now || !clients.isBusy { phase = .ended }
    }

    package func report(_ event: FabricEvent) {
        observer.observe(event)
    }
}

extension Daemon: ClientSink {
    func take(_ input: ClientInput) {
        hasInput = true
        host.step(.client(input), now: runtime.reactor.now())
    }

    func note(_ event: NodeEvent) {
        observer.observe(event)
    }
}

extension Daemon: SignalHandler {
    package func received(signal: Int32) {
        switch signal {
        case SIGHUP: reload()
        case SIGTERM: stop("SIGTERM")
        default: stop("SIGINT")
        }
    }
}

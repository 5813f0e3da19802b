import CConclaveLinux
import ConclaveBase
import ConclaveCoordination
import ConclaveJournal
import ConclaveReactor
import ConclaveReplication
import ConclaveRuntime
import ConclaveService
import ConclaveWire
import Glibc

extension Daemon {
    /// What is opened before a daemon exists.
    struct Parts {
        var own: Member
        var runtime: Runtime
        var host: Host
        var clients: Clients
        var page: ValidityPage
        var socketFile: ClientSocketFile
    }

    private static let pageSlotCount = 16 * 1_024

    /// Opens everything, in an order that touches nothing of a daemon that runs already: the data
    /// directory's lock first, then addresses, then the client socket. Names are resolved here,
    /// and never once the loop turns.
    package static func start(
        configuration: Configuration, settings: Settings, observer: Observer
    ) throws(StartFault) -> Daemon {
        var random = SystemRandomNumberGenerator()
        let directory = DataDirectory(
            path: settings.data, node: settings.node, durability: settings.durability)
        try directory.make()
        let disk = directory.disk ?? .random(in: 0..<Incarnation.diskCount, using: &random)
        let start = UInt64.random(in: 1..<Incarnation.startCount, using: &random)
        let own = Member(node: settings.node, incarnation: Incarnation(disk: disk, start: start))
        let runtime = try openRuntime(settings, own: own, directory: directory)
        try directory.claim(disk: disk)
        let socketFile = try ClientSocketFile(
            path: settings.socket, isShared: !settings.members.isEmpty,
            passed: Systemd.takeListener())
        do throws(StartFault) {
            let parts = try openRest(settings, own, runtime, socketFile)
            return Daemon(
                configuration: configuration, settings: settings, parts: parts, observer: observer)
        } catch {
            socketFile.remove()
            throw error
        }
    }

    private static func openRest(
        _ settings: Settings, _ own: Member, _ runtime: Runtime, _ socketFile: ClientSocketFile
    ) throws(StartFault) -> Parts {
        let page: ValidityPage
        do throws(SystemError) {
            page = try ValidityPage(slotCount: pageSlotCount)
        } catch {
            throw StartFault(.broken, "no shared memory for clients: \(error)")
        }
        let host = try openHost(settings, own: own, runtime: runtime)
        let limit = conclave_linux_raise_descriptor_limit()
        let clients = Clients(
            listener: socketFile.listener, page: page,
            processes: ProcessReader(host: settings.node), maximumCount: settings.connections,
            descriptorLimit: limit > 0 ? Int(limit) : 1_024, reactor: runtime.reactor)
        return Parts(
            own: own, runtime: runtime, host: host, clients: clients, page: page,
            socketFile: socketFile)
    }

    private static func openRuntime(
        _ settings: Settings, own: Member, directory: DataDirectory
    ) throws(StartFault) -> Runtime {
        let runtimeSettings = RuntimeSettings(
            own: own, directory: directory.journalPath, addresses: try resolve(settings),
            configurationDigest: settings.groupDigest, foundingDigest: settings.foundingDigest,
            suspicion: settings.suspicion)
        do throws(RuntimeFault) {
            return try Runtime(runtimeSettings)
        } catch {
            throw StartFault(error, data: settings.data)
        }
    }

    private static func resolve(_ settings: Settings) throws(StartFault) -> [NodeID: SocketAddress]
    {
        var addresses: [NodeID: SocketAddress] = [:]
        for member in settings.members {
            do throws(SocketAddress.Fault) {
                addresses[member.node] = try SocketAddress.resolve(member.address.description)
            } catch {
                throw StartFault(
                    .addressInUse, "the address of member \(member.node) is not found: \(error)")
            }
        }
        return addresses
    }

    @Sendable private static func memberAddress(_ bytes: [UInt8]) -> [UInt8]? {
        let address = try? SocketAddress(String(decoding: bytes, as: UTF8.self))
        guard let address, address.port > 0 else { return nil }
        return Array(address.description.utf8)
    }

    private static func openHost(
        _ settings: Settings, own: Member, runtime: Runtime
    ) throws(StartFault) -> Host {
        var addresses: [NodeID: String] = [:]
        for member in settings.members { addresses[member.node] = "\(member.address)" }
        var hostSettings = HostSettings(
            replica: settings.replica(own: own), addresses: addresses, quotas: Quotas())
        // How many may connect at all is the listener's business, which can be told anew.
        hostSettings.maximumConnections = SettingKey.maximumConnections
        hostSettings.maximumConnectionsPerUID = settings.connectionsPerUID
        hostSettings.validitySlotCount = UInt32(pageSlotCount)
        hostSettings.administrator = geteuid()
        hostSettings.mayBeDisturbed = settings.allowsChaos
        hostSettings.memberAddress = settings.members.isEmpty ? nil : Self.memberAddress
        var random = SystemRandomNumberGenerator()
        do throws(FatalFault) {
            return try Host(
                settings: hostSettings, disk: runtime.disk, fabric: runtime.fabric,
                random: SeededRandom(seed: random.next()),
                drawSecret: {
                    var random = SystemRandomNumberGenerator()
                    return Secret(high: random.next(), low: random.next())
                }, now: runtime.reactor.now())
        } catch {
            throw StartFault(error)
        }
    }
}

extension StartFault {
    fileprivate init(_ fault: RuntimeFault, data: String) {
        switch fault {
        case .directory(.locked): self.init(.data, "the data directory \(data) is in use")
        case .directory(.notADirectory(let path)): self.init(.data, "\(path) is not a directory")
        case .directory(.notWritable(let path, let error)):
            self.init(.disk, "the data directory \(path) is not writable: \(error.meaning)")
        case .directory(.failed(let path, let error)):
            self.init(.disk, "the data directory \(path) cannot be opened: \(error.meaning)")
        case .address(let address, let error):
            self.init(
                .addressInUse, "cannot listen for members on \(address): \(error.meaning)")
        case .system(let error): self.init(.broken, "no event loop: \(error)")
        }
    }
}

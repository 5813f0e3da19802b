import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Glibc

/// A program's way to the group: one session with the local daemon, shared by everything it holds.
///
///     let conclave = try await Conclave.connect()
///     try await conclave.withLock("db/migrate", wait: .seconds(30)) { lock in
///         try await store.write(rows, fencing: lock.token)
///     }
///
/// When the daemon restarts, the library reconnects and resumes by itself: waiting requests go on
/// waiting, and what is held stays held unless its deadline passes. A session that is lost stays
/// lost; connect anew.
///
/// The session belongs to the process. Using it, or connecting, on both sides of a `fork` without
/// `exec` is not supported.
public final class Conclave: Sendable {
    /// Of this library, and of the programs that come with it.
    public static let version = Release.version

    let session: ClientSession

    private init(_ session: ClientSession) {
        self.session = session
    }

    deinit {
        session.beginClosing(patience: Self.goodbyePatience)
    }

    /// How long a goodbye waits for its answer; the group ends the session without it too.
    private static let goodbyePatience = Interval.seconds(1)

    /// Connects to the local daemon. The session itself is opened with the first lock, campaign or
    /// arrival; a program that only asks or observes never has one.
    ///
    /// - Parameters:
    ///   - socket: Where the daemon listens. By default `$CONCLAVE_SOCKET`, else
    ///     `/run/conclave/conclave.sock` if it exists, else `conclave/conclave.sock` in
    ///     `$XDG_RUNTIME_DIR`, else `/tmp/conclave-UID/conclave.sock`.
    ///   - ttl: How long what is held outlives a daemon or host that went silent. By default five
    ///     seconds, or what the group allows that is nearest to it. The daemon refuses one that is
    ///     shorter than three times its suspicion time, or longer than the group's `maxSessionTtl`.
    ///   - label: Shown to operators beside the session; at most 255 bytes.
    /// - Throws: `disconnected` if no daemon answers, `denied` if this user may not connect.
    public static func connect(
        socket: String? = nil, ttl: Duration? = nil, label: String = ""
    ) async throws -> Conclave {
        let path = try SocketPath.find(named: socket)
        guard label.utf8.count <= ClientLimits.label else {
            throw ConclaveError(.invalid, "the label has more than \(ClientLimits.label) bytes")
        }
        let interval = ttl.map { Interval($0) }
        if let interval, !(1...Int64(UInt32.max)).contains(interval.milliseconds) {
            throw ConclaveError(
                .invalid, "the ttl must be at least a millisecond, and less than 49 days")
        }
        let settings = ClientSettings(
            ttl: interval ?? .zero, label: label, clientName: programName, opensSession: false)
        return Conclave(try open(path, settings))
    }

    private static func open(
        _ path: String, _ settings: ClientSettings
    ) throws(ConclaveError) -> ClientSession {
        do throws(SystemError) {
            let id = Secret.drawn()
            let core = ClientCore(
                settings: settings, id: id, random: SeededRandom(seed: id.high ^ id.low),
                now: BootClock.now)
            let session = ClientSession(path: path, core: core, reader: try Reader.shared())
            try session.start()
            return session
        } catch {
            throw refusal(of: error, at: path)
        }
    }

    private static func refusal(of error: SystemError, at path: String) -> ConclaveError {
        if error.number == EACCES || error.number == EPERM {
            return ConclaveError(
                .denied,
                "this user may not use the daemon's socket \(path): is it in the group conclave?")
        }
        return ConclaveError(.disconnected, "no daemon answers at \(path): \(error)")
    }

    private static var programName: String {
        let path = CommandLine.arguments.first ?? ""
        return String(path.split(separator: "/").last?.prefix(60) ?? "")
    }

    /// The states of the session, the present one first. The stream ends with `lost`.
    public var states: AsyncStream<SessionState> { session.states() }

    /// Ends the session in good order: everything that it holds is released, waiting calls are
    /// given up. Waits at most a second for the daemon; the group ends the session without it too.
    public func close() async {
        await session.close(patience: Self.goodbyePatience)
    }
}

extension Secret {
    /// A number that nobody guesses, from the kernel.
    fileprivate static func drawn() -> Secret {
        var random = SystemRandomNumberGenerator()
        return Secret(high: random.next(), low: random.next())
    }
}

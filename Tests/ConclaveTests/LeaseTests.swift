import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Leases of a program` {
    private static let name = try! ObjectName("backup/db")

    private func connected(
        _ script: @escaping ScriptedDaemon.Script = ScriptedDaemon.grant
    ) async throws -> (ScriptedDaemon, Leases) {
        let daemon = ScriptedDaemon(script)
        return (daemon, try await Conclave.connect(socket: daemon.path).leases)
    }

    @Test func `one that is granted is valid for a little less than its time, from the call on`()
        async throws
    {
        let (daemon, leases) = try await connected()
        defer { daemon.stop() }
        let before = ContinuousClock.now
        let lease = try await leases.grant("backup/db", to: "nightly", for: .seconds(100))
        let after = ContinuousClock.now
        #expect(lease.holder == "nightly" && lease.ttl == .seconds(100))
        #expect(lease.isValid)
        #expect(lease.deadline <= after.advanced(by: .seconds(99)))
        #expect(lease.deadline >= before.advanced(by: .seconds(98)))
        let operation = LeaseOperation(Self.name, .grant(ttl: .seconds(100), holder: "nightly"))
        #expect(daemon.requests(.lease).map(\.operation) == [.lease(operation)])
    }

    @Test func `an answer that comes late makes it no longer`() async throws {
        let (daemon, leases) = try await connected()
        defer { daemon.stop() }
        let lease = try await leases.grant("backup/db", to: "nightly", for: .nanoseconds(1))
        #expect(!lease.isValid)
    }

    @Test func `who finds it taken is told by whom`() async throws {
        let grant = LeaseGrant(
            name: Self.name, holder: "weekly", token: FencingToken(8), ttl: .seconds(9))
        let (daemon, leases) = try await connected { _ in [.reply(.leaseTaken(grant))] }
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await leases.grant("backup/db", to: "nightly", for: .seconds(9))
        }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("weekly") == true)
    }

    @Test func `renewals, releases and transfers name the token`() async throws {
        let grant = LeaseGrant(
            name: Self.name, holder: "nightly", token: FencingToken(8), ttl: .seconds(9))
        let (daemon, leases) = try await connected { request in
            guard case .lease(let lease)? = request.operation, case .release = lease.action else {
                return [.reply(.leased(grant))]
            }
            return [.reply(.done)]
        }
        defer { daemon.stop() }
        let lease = try await leases.grant("backup/db", to: "nightly", for: .seconds(9))
        let renewed = try await leases.renew(lease)
        #expect(renewed.deadline > lease.deadline)
        let moved = try await leases.transfer(renewed, to: "weekly", for: .seconds(20))
        try await leases.release(moved)
        let token = FencingToken(8)
        let actions: [LeaseOperation.Action] = [
            .grant(ttl: .seconds(9), holder: "nightly"), .renew(token: token),
            .transfer(token: token, holder: "weekly", ttl: .seconds(20)), .release(token: token),
        ]
        #expect(
            daemon.requests(.lease).map(\.operation)
                == actions.map { .lease(LeaseOperation(Self.name, $0)) })
    }

    @Test func `a holder's name that no daemon would take is refused at once`() async throws {
        let (daemon, leases) = try await connected()
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await leases.grant(
                "backup/db", to: String(repeating: "h", count: 256), for: .seconds(9))
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.lease).isEmpty)
    }

    @Test func `a listing goes on page by page`() async throws {
        let (daemon, leases) = try await connected { request in
            var reader = ByteReader(request.body)
            guard
                case .leases(_, let after)? = (try? ObjectQuery(.readLeases, from: &reader))?
                    .subject
            else { return [] }
            let name = after == nil ? Self.name : try! ObjectName("c")
            let grant = LeaseGrant(
                name: name, holder: "h", token: FencingToken(8), ttl: .seconds(9))
            let report = LeaseReport(
                grant: grant, uid: 7, since: .zero, renewed: .zero, remaining: .seconds(3))
            var writer = ByteWriter()
            LeasePage(version: Version(9), leases: [report], next: after == nil ? name : nil)
                .encode(into: &writer)
            return [.report(writer.bytes)]
        }
        defer { daemon.stop() }
        let listing = try await leases.list()
        #expect(listing.map(\.name) == ["backup/db", "c"])
        #expect(listing[0].remaining == .seconds(3))
    }
}

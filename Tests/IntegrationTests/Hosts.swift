import Foundation
import TestSupport

/// Hosts in small: each is a network namespace with an address and a link of its own to a bridge,
/// which stands in one more namespace, and has a disk of bounded size.
///
/// Everything is known by a prefix that no other run has, and none of it is in the namespace of the
/// test itself, so that runs at the same time do not meet. It is gone after `remove`.
final class Hosts {
    static let port: UInt16 = 7400
    private static let diskSize = "48m"

    let count: Int
    let directory: TemporaryDirectory
    private let prefix: String

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Why there can be no hosts here; `nil`: there can.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "network namespaces need root" }
        do {
            let hosts = try Hosts(1)
            hosts.remove()
            return nil
        } catch {
            return "network namespaces with nftables cannot be made: \(error)"
        }
    }()

    init(_ count: Int) throws {
        self.count = count
        directory = try TemporaryDirectory()
        let name = ProcessInfo.processInfo.environment["CONCLAVE_HOSTS_PREFIX"] ?? "conclave"
        prefix = "\(name)-\(UUID().uuidString.prefix(6).lowercased())"
        do {
            try shell(
                """
                ip netns add \(bridgeSpace)
                ip -n \(bridgeSpace) link add bridge type bridge
                ip -n \(bridgeSpace) link set bridge up
                """)
            for node in 1...count { try add(node) }
        } catch {
            remove()
            throw error
        }
    }

    deinit {
        remove()
    }

    private func add(_ node: Int) throws {
        try shell(
            """
            ip netns add \(space(node))
            ip -n \(space(node)) link set lo up
            ip -n \(bridgeSpace) link add host\(node) type veth peer name net netns \(space(node))
            ip -n \(bridgeSpace) link set host\(node) master bridge up
            ip -n \(space(node)) address add \(address(node))/24 dev net
            ip -n \(space(node)) link set net up
            ip netns exec \(space(node)) nft add table inet faults
            ip netns exec \(space(node)) nft add set inet faults deaf '{ type ipv4_addr; }'
            ip netns exec \(space(node)) nft add chain inet faults input \
                '{ type filter hook input priority 0; }'
            ip netns exec \(space(node)) nft add rule inet faults input ip saddr @deaf drop
            mkdir \(disk(node))
            mount -t tmpfs -o size=\(Self.diskSize),mode=0700 none \(disk(node))
            """)
    }

    /// Takes everything away, whether or not all of it is there.
    ///
    /// - Precondition: No process that was started on a host goes on.
    func remove() {
        for node in 1...count {
            try? shell("! mountpoint -q \(disk(node)) || umount \(disk(node))")
        }
        for name in [bridgeSpace] + (1...count).map(space) {
            try? shell("! [ -e /run/netns/\(name) ] || ip netns delete \(name)")
        }
    }

    private var bridgeSpace: String { prefix + "-0" }
    private func space(_ node: Int) -> String { "\(prefix)-\(node)" }

    func address(_ node: Int) -> String { "10.77.0.\(node)" }
    func disk(_ node: Int) -> String { directory.file("disk-\(node)") }

    /// `command` as it is started on the host: in the process that is started itself.
    func command(_ command: [String], on node: Int) -> [String] {
        [
            "/bin/sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; exec ip netns exec \(space(node)) \"$@\"",
            "sh",
        ] + command
    }

    // MARK: - Faults

    /// Nothing that `sender` sends reaches `receiver`; the other way is as it was.
    func cut(from sender: Int, to receiver: Int) throws {
        try changeDeafness(of: receiver, to: sender, "add")
    }

    func mend(from sender: Int, to receiver: Int) throws {
        try changeDeafness(of: receiver, to: sender, "delete")
    }

    private func changeDeafness(of receiver: Int, to sender: Int, _ verb: String) throws {
        try shell(
            "ip netns exec \(space(receiver)) nft \(verb) element inet faults deaf "
                + "'{ \(address(sender)) }'")
    }

    /// Takes the host's own end of its link down, or that of the bridge: there the host sees that
    /// it has no carrier.
    func setLink(of node: Int, isUp: Bool, atBridge: Bool) throws {
        let state = isUp ? "up" : "down"
        try shell(
            atBridge
                ? "ip -n \(bridgeSpace) link set host\(node) \(state)"
                : "ip -n \(space(node)) link set net \(state)")
    }

    /// Leaves not a byte free.
    func fillDisk(of node: Int) throws {
        try shell("cat /dev/zero >\(disk(node))/filler 2>/dev/null || true")
    }

    func emptyDisk(of node: Int) throws {
        try shell("rm -f \(disk(node))/filler")
    }

    private func shell(_ script: String) throws {
        let ending = try Running(
            "/bin/sh", ["-e", "-c", "PATH=$PATH:/usr/sbin:/sbin\n\(script)"], in: directory
        ).end()
        guard ending.status == 0 else {
            throw Failure(description: "\(ending.errors) in: \(script)")
        }
    }
}

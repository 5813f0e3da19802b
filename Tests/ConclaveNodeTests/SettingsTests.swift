import ConclaveBase
import ConclaveNode
import ConclaveReplication
import Logging
import Testing

@Suite struct `A configuration file` {
    private static let whole = """
        node: 2
        data: /var/lib/conclave
        socket: /run/conclave/conclave.sock
        durability: memory
        minimumMembers: 3
        members:
          - { id: 1, address: "10.0.0.1:7400" }
          - { id: 2, address: "[fd00::2]:7400" }
          - { id: 3, address: "third.example:7401" }
        timing: { heartbeat: 50ms, suspicion: 2s, stall: 5s }
        slots: { perSender: 64, size: 16KiB }
        logLevel: debug

        """

    private func read(_ text: String) throws(SettingsFaults) -> Settings {
        try Settings.read(Array(text.utf8), file: "conclave.yaml")
    }

    private func faults(_ text: String) -> [String] {
        do throws(SettingsFaults) {
            _ = try read(text)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test func `a whole configuration is taken over value by value`() throws {
        let settings = try read(Self.whole)

        #expect(settings.node == NodeID(2))
        #expect(settings.durability == .memory)
        #expect(settings.minimumMembers == 3)
        #expect(settings.members.map(\.node) == [NodeID(1), NodeID(2), NodeID(3)])
        #expect(settings.address(of: NodeID(2)) == PeerAddress(host: "fd00::2", port: 7400))
        #expect(settings.address(of: NodeID(3))?.description == "third.example:7401")
        #expect(settings.heartbeat == .milliseconds(50))
        #expect(settings.suspicion == .seconds(2))
        #expect(settings.slotCount == 64)
        #expect(settings.slotByteCount == 16_384)
        #expect(settings.logLevel == .debug)
    }

    @Test func `what is not given has the documented default`() throws {
        let settings = try read(
            """
            node: 1
            members: [{ id: 1, address: "10.0.0.1:7400" }, { id: 2, address: "10.0.0.2:7400" },
                      { id: 3, address: "10.0.0.3:7400" }]
            """)

        #expect(settings.minimumMembers == 2)
        #expect(settings.durability == .disk)
        #expect(settings.heartbeat == .milliseconds(100))
        #expect(settings.suspicion == .seconds(1))
        #expect(settings.stall == .seconds(5))
        #expect(settings.maximumSessionTTL == .seconds(60))
        #expect(settings.slotCount == 128)
        #expect(settings.slotByteCount == 8_192)
        #expect(settings.socket == "/run/conclave/conclave.sock")
        #expect(settings.data == "/var/lib/conclave")
    }

    @Test func `all mistakes are named at once, in the order of the file, each with its place`() {
        let text = """
            node: 1
            durabilty: disk
            members:
              - { id: 1, address: "10.0.0.1:7400" }
              - { id: 2, address: "10.0.0.2" }
            timing: { heartbeat: 100, suspicion: 90s }

            """
        #expect(
            faults(text) == [
                "conclave.yaml:2:1: unknown key `durabilty`",
                "conclave.yaml:5:23: `address` must be HOST:PORT, such as 10.0.0.1:7400, "
                    + "255 bytes at most, not \"10.0.0.2\"",
                "conclave.yaml:6:22: `timing.heartbeat` must be a length of time with a unit, "
                    + "such as 100ms, not \"100\"",
                "conclave.yaml:6:38: `timing.suspicion` is 90s; it must be 50ms to 1m",
            ])
    }

    @Test func `a missing key, a list in place of a value and a stranger's id are faults`() {
        #expect(faults("data: /x\n").count == 2)
        #expect(
            faults("node: [1]\nmembers: [{ id: 1, address: \"a:1\" }]\n")
                == ["conclave.yaml:1:7: `node` must be a single value"])
        #expect(
            faults("node: 7\nmembers: [{ id: 1, address: \"a:1\" }]\n")
                == ["conclave.yaml:1:7: `node` is 7, which is none of the members"])
    }

    @Test func `a suspicion of less than four heartbeats is refused where it stands`() {
        let text = "node: 1\nmembers: [{ id: 1, address: \"a:1\" }]\n"
        #expect(
            faults(text + "timing: { heartbeat: 500ms }\n")
                == [
                    "conclave.yaml:3:22: `timing.suspicion` is 1s; it must be at least 4 "
                        + "heartbeats (2s)"
                ])
    }

    @Test func `members are distinct by id and by address`() {
        let text = """
            node: 1
            members:
              - { id: 1, address: "a:1" }
              - { id: 1, address: "a:2" }
              - { id: 2, address: "a:1" }
            """
        #expect(
            faults(text) == [
                "conclave.yaml:3:3: member 1 is named twice",
                "conclave.yaml:3:3: members 1 and 2 have the address a:1",
            ])
    }

    @Test func `a socket path of 107 bytes is taken and one of 108 refused by name`() throws {
        let head = "node: 1\nmembers: [{ id: 1, address: \"a:1\" }]\nsocket: "
        let path = "/" + String(repeating: "s", count: 106)

        #expect(try read(head + path).socket == path)
        #expect(faults(head + path + "s").count == 1)
        #expect(faults(head + path + "s")[0].contains(path + "s has 108 bytes; at most 107"))
    }

    @Test func `what is not YAML, nested without end, or not UTF-8 is one fault`() {
        #expect(faults("node: [1").count == 1)
        #expect(faults("").first == "conclave.yaml:1:1: the file is empty")
        #expect(faults(String(repeating: "[", count: 100_000)).count == 1)
        #expect(faults("a: &x 1\nb: *x\n").contains("conclave.yaml:2:4: aliases are not supported"))
        #expect(throws: SettingsFaults.self) {
            try Settings.read([0x6E, 0xFF, 0xFE], file: "conclave.yaml")
        }
    }

    @Test func `a key given twice is a fault`() {
        #expect(
            faults("node: 1\nnode: 1\nmembers: [{ id: 1, address: \"a:1\" }]\n")
                == ["conclave.yaml:2:1: `node` is given twice"])
    }

    @Test func `what differs between two configurations is named by key`() throws {
        var other = try read(Self.whole)
        other.logLevel = .error
        other.heartbeat = .milliseconds(60)

        let differences = other.differences(from: try read(Self.whole))
        #expect(differences == [.logLevel, .heartbeat])
        #expect(differences.map(\.mayChangeAtRunTime) == [true, false])
    }

    @Test(
        arguments: [
            ("a:0", nil), (":7400", nil), ("a", nil), ("::1:7400", nil), ("a b:1", nil),
            ("[::1]:7400", PeerAddress(host: "::1", port: 7400)),
            ("db-1.example:65535", PeerAddress(host: "db-1.example", port: 65535)),
        ] as [(String, PeerAddress?)])
    func `an address has a host and a port`(text: String, address: PeerAddress?) {
        #expect(PeerAddress(text) == address)
    }

    @Test func `an address is not longer than what the list of members takes`() {
        let most = MemberList.maximumAddressByteCount
        #expect(PeerAddress(String(repeating: "a", count: most - 6) + ":65535") != nil)
        #expect(PeerAddress(String(repeating: "a", count: most - 5) + ":65535") == nil)
        #expect(PeerAddress("[" + String(repeating: ":", count: most - 7) + "]:65535") == nil)
    }
}

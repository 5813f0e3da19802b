import Conclave
import Testing

@testable import Conclave

@Suite struct `The socket of the daemon` {
    private func search(
        named: String? = nil, _ variables: [String: String] = [:], present: Set<String> = []
    ) -> String {
        SocketPath.search(
            named: named, environment: { variables[$0] }, userID: 1_000,
            exists: present.contains)
    }

    private let system = "/run/conclave/conclave.sock"

    @Test func `is the one named, before all others`() {
        let variables = ["CONCLAVE_SOCKET": "/b", "XDG_RUNTIME_DIR": "/x"]
        #expect(search(named: "/a", variables, present: [system]) == "/a")
        #expect(search(variables, present: [system]) == "/b")
    }

    @Test func `is the system's if there is one, else the user's`() {
        let variables = ["XDG_RUNTIME_DIR": "/run/user/1000"]
        let own = "/run/user/1000/conclave/conclave.sock"
        #expect(search(variables, present: [system, own]) == system)
        #expect(search(variables, present: [own]) == own)
        #expect(search(variables) == own)
        #expect(search() == "/tmp/conclave-1000/conclave.sock")
    }

    @Test func `of a daemon that was started without the variable is found too`() {
        let shared = "/tmp/conclave-1000/conclave.sock"
        #expect(search(["XDG_RUNTIME_DIR": "/run/user/1000"], present: [shared]) == shared)
    }

    @Test func `has at most 107 bytes`() throws {
        let path = "/" + String(repeating: "p", count: 106)
        #expect(try SocketPath.find(named: path) == path)
        #expect(throws: ConclaveError.self) { try SocketPath.find(named: path + "p") }
    }
}

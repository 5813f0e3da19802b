import CConclaveLinux

/// An IPv4 or IPv6 address with a port, written `127.0.0.1:7400` or `[::1]:7400`.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Version: UInt16, Sendable {
        case four = 4
        case six = 6
    }

    /// Why a text was refused.
    package enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        case noPort(String)
        case notNumeric(String)
        case unknownName(String, reason: String)

        package var description: String {
            switch self {
            case .noPort(let text): "'\(text)' does not end with a port from 0 to 65535"
            case .notNumeric(let text): "'\(text)' is not a numeric address"
            case .unknownName(let name, let reason): "'\(name)': \(reason)"
            }
        }
    }

    package let version: Version
    /// The first eight bytes of an IPv6 address.
    private let high: UInt64
    private let low: UInt64
    /// The interface of a link-local address.
    private let scope: UInt32
    package var port: UInt16

    /// Takes numeric addresses only.
    package init(_ text: String) throws(Fault) {
        let (host, port) = try Self.split(text)
        var raw = conclave_linux_address()
        guard unsafe conclave_linux_address_parse(host, &raw) == 0 else { throw .notNumeric(host) }
        raw.port = port
        self.init(raw)
    }

    /// Takes names as well. It asks the resolver, which may take seconds: for the time before the
    /// reactor turns.
    package static func resolve(_ text: String) throws(Fault) -> SocketAddress {
        let (host, port) = try split(text)
        var raw = conclave_linux_address()
        if unsafe conclave_linux_address_parse(host, &raw) != 0 {
            let number = unsafe conclave_linux_resolve(host, &raw)
            guard number == 0 else {
                throw .unknownName(
                    host, reason: unsafe String(cString: conclave_linux_resolve_text(number)))
            }
        }
        raw.port = port
        return SocketAddress(raw)
    }

    package static func loopback(port: UInt16) -> SocketAddress {
        var raw = conclave_linux_address()
        raw.version = 4
        raw.low = 0x7F00_0001
        raw.port = port
        return SocketAddress(raw)
    }

    init(_ raw: conclave_linux_address) {
        version = raw.version == 4 ? .four : .six
        high = raw.high
        low = raw.low
        scope = raw.scope
        port = raw.port
    }

    var raw: conclave_linux_address {
        conclave_linux_address(
            high: high, low: low, scope: scope, port: port, version: version.rawValue)
    }

    package func hasSameHost(as other: SocketAddress) -> Bool {
        version == other.version && high == other.high && low == other.low && scope == other.scope
    }

    package var description: String {
        var raw = raw
        let host = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let start = text.baseAddress,
                unsafe conclave_linux_address_format(&raw, start) == 0
            else { return "?" }
            return unsafe String(cString: start)
        }
        return version == .four ? "\(host):\(port)" : "[\(host)]:\(port)"
    }

    private static func split(_ text: String) throws(Fault) -> (host: String, port: UInt16) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw .noPort(text) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            // Without brackets it cannot be told where an IPv6 address ends.
            throw .noPort(text)
        }
        guard !host.utf8.contains(0) else { throw .notNumeric(text) }
        return (String(host), port)
    }
}

package import ConclaveBase
import ConclaveWire

/// What a client decides for itself before it connects.
package struct ClientSettings: Sendable {
    /// Zero: the usual one, or the nearest to it that the group allows.
    package var ttl: Interval
    /// Shown to operators beside the session; at most 255 bytes.
    package var label: String
    /// The program's name, told in the hello.
    package var clientName: String
    /// Whether a session is opened as soon as there is a connection; otherwise the first operation
    /// opens it, and a client that only asks never has one.
    package var opensSession: Bool
    /// As many requests of a session the group keeps, waiting or not confirmed: the library has no
    /// more in flight.
    package var requestsInFlight = ClientLimits.requestsInFlight

    package init(
        ttl: Interval = .zero, label: String = "", clientName: String = "",
        opensSession: Bool = true
    ) {
        self.ttl = ttl
        self.label = label
        self.clientName = clientName
        self.opensSession = opensSession
    }
}

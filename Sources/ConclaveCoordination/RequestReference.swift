/// One request of one session. `session` is its index in the session table.
struct RequestReference: Hashable, Sendable {
    var session: Int
    var number: UInt64
}

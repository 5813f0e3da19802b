package import ConclaveBase
package import ConclaveWire

/// What a group replicates: a state that depends on nothing but the delivered commands, in order.
///
/// `apply` and `install` must be deterministic: no clock, no chance, no order that a hash table
/// chose. They must take any bytes, since a command may come from another version of the program.
package protocol StateMachine {
    associatedtype Effect

    mutating func apply(
        _ command: ByteReader, at version: Version, time: Timestamp, effects: inout [Effect])

    mutating func install(
        _ view: InstalledView, at version: Version, time: Timestamp, effects: inout [Effect])

    /// Whether a departed incarnation still matters, so that its silence is carried on (V18).
    func remembers(_ member: Member) -> Bool

    func encodeSnapshot() -> [UInt8]

    init(snapshot: [UInt8]) throws(WireError)

    /// Whether the state can be that of `version`: nothing in it is of a later one. What a snapshot
    /// says of itself is checked by this.
    func canBe(at version: Version) -> Bool
}

extension StateMachine {
    /// For a state that does not know its version.
    package func canBe(at version: Version) -> Bool { true }
}

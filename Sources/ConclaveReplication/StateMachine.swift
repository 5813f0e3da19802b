package import ConclaveBase
package import ConclaveWire

/// What a group replicates: a state that depends on nothing but the delivered commands, in order.
///
/// `apply` and `install` must be deterministic: no clock, no chance, no order that a hash table
/// chose. They must take any bytes, since a command may come from another version of the program.
package protocol StateMachine {
    associatedtype Effect
    associatedtype Frozen: FrozenState
    associatedtype Builder: StateBuilder where Builder.Machine == Self

    mutating func apply(
        _ command: ByteReader, at version: Version, time: Timestamp, effects: inout [Effect])

    mutating func install(
        _ view: InstalledView, at version: Version, time: Timestamp, effects: inout [Effect])

    /// Whether a departed incarnation still matters, so that its silence is carried on (V18).
    func remembers(_ member: Member) -> Bool

    /// Whether the state can be that of `version`: nothing in it is of a later one. What a snapshot
    /// says of itself is checked by this.
    func canBe(at version: Version) -> Bool

    /// About how many rows a frozen state has; the same on all members.
    var rowCount: Int { get }

    /// The state as it is now, to be told while this one goes on. No call may take long, nor make a
    /// later `apply` take long: the frozen state shares what it can.
    func freeze() -> Frozen

    /// Builds a machine like this one, whose settings it has, from what a frozen one tells.
    func makeBuilder() -> Builder
}

extension StateMachine {
    /// For a state that does not know its version.
    package func canBe(at version: Version) -> Bool { true }
}

/// A state at one point of the order, as rows. Equal states have the same rows, in whatever order:
/// each says what it belongs to.
package protocol FrozenState {
    /// Appends the next row, which is not empty; false, and nothing, if there was none left. The
    /// time it takes is bounded, however large the state is.
    mutating func encodeRow(into writer: inout ByteWriter) -> Bool
}

/// Makes a machine of the rows that a frozen one told, in their order. It must take any bytes.
package protocol StateBuilder {
    associatedtype Machine

    mutating func take(_ row: ByteReader) throws(WireError)

    /// All rows were taken. To be called once.
    mutating func finish() throws(WireError) -> Machine
}

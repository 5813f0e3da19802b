package import ConclaveBase

/// Hears of everything that a machine applies, with what followed from it. The simulator's machines
/// have one, a daemon's never: it sees what replicas were told, also while one recovers, when the
/// effects go to nobody.
package protocol CoordinationWitness: AnyObject, Sendable {
    /// `machine` has applied `command`; `nil`: bytes that do not decode.
    func applied(
        _ command: Command?, by machine: Coordinator, effects: ArraySlice<CoordinationEffect>)

    /// `machine` has taken over a view at `version`, which is not one of its own.
    func installed(
        _ view: InstalledView, at version: Version, by machine: Coordinator,
        effects: ArraySlice<CoordinationEffect>)
}

package import ConclaveBase

/// Hears of everything that a machine applies, with what followed from it. The simulator's machines
/// have one, a daemon's never: it sees what replicas were told, also while one recovers, when the
/// effects go to nobody.
package protocol CoordinationWitness: AnyObject, Sendable {
    /// `machine`, whose version was `previous`, has applied `command`; `nil`: bytes that do not
    /// decode.
    func applied(
        _ command: Command?, after previous: Version, by machine: Coordinator,
        effects: ArraySlice<CoordinationEffect>)

    /// `machine`, whose version was `previous`, has taken over a view.
    func installed(
        _ view: InstalledView, after previous: Version, by machine: Coordinator,
        effects: ArraySlice<CoordinationEffect>)
}

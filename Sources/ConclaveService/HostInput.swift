package import ConclaveBase
package import ConclaveGroup
package import ConclaveReplication
package import ConclaveWire

/// What the shell tells a host.
package enum HostInput {
    case fabric(FabricInput)
    case disk(DiskInput)
    case client(ClientInput)
    case tick
}

/// What a host wants done, or known, in order.
package enum HostEffect {
    case client(ServiceEffect)
    case event(GroupEvent)
    /// Whether requests are taken now: told on each change. `endingSince`: told with the first yes
    /// after an epoch ended, when this member began to end it.
    case serving(ServingState, endingSince: Instant?)
    /// An administrator wants this to go wrong from now on; nothing: all of it to end.
    case disturb(Disturbance?, by: String)
    /// The daemon must end.
    case fatal(FatalFault)
    /// The orderly stop is done.
    case left
    /// This member was removed from the group, and has no more part in it: the daemon may end.
    case removed
}

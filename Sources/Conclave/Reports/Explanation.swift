public import ConclaveBase
package import ConclaveWire

/// Why somebody waits: the objects of one name, and who waits for whom from there.
public struct Explanation: Hashable, Sendable {
    public struct Edge: Hashable, Sendable {
        public let waiter: SessionID
        public let kind: ObjectStatus.Kind
        public let name: String
        public let holder: SessionID
        /// It does not hold it: it waits for several locks, and this one is kept for it meanwhile.
        public let isReserved: Bool
    }

    /// At most one of each kind.
    public let objects: [ObjectStatus]
    /// The lease of that name.
    public let lease: LeaseStatus?
    /// The task group of that name; `nil`: it has no members.
    public let group: ObjectStatus.Group?
    /// From the first waiter on.
    public let chain: [Edge]
    public let version: Version

    package init(_ report: WhyReport) {
        objects = report.objects.map(ObjectStatus.init)
        lease = report.lease.map(LeaseStatus.init)
        group = report.group.map(ObjectStatus.Group.init)
        version = report.version
        chain = report.chain.map { edge in
            Edge(
                waiter: edge.waiter, kind: ObjectStatus.Kind(edge.kind), name: edge.name.text,
                holder: edge.holder, isReserved: edge.isReserved)
        }
    }
}

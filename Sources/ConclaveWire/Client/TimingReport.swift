package import ConclaveBase

/// The times by which a group judges its members and sessions, as the daemon has them.
package struct TimingReport: Equatable, Sendable {
    package var heartbeat: Interval
    package var suspicion: Interval
    package var stall: Interval
    /// The shortest and the longest ttl that a session may have.
    package var minimumTTL: Interval
    package var maximumTTL: Interval

    package init(
        heartbeat: Interval, suspicion: Interval, stall: Interval, minimumTTL: Interval,
        maximumTTL: Interval
    ) {
        self.heartbeat = heartbeat
        self.suspicion = suspicion
        self.stall = stall
        self.minimumTTL = minimumTTL
        self.maximumTTL = maximumTTL
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        heartbeat = try reader.milliseconds("heartbeat")
        suspicion = try reader.milliseconds("suspicion")
        stall = try reader.milliseconds("stall")
        minimumTTL = try reader.milliseconds("shortest ttl")
        maximumTTL = try reader.milliseconds("longest ttl")
    }

    package func encode(into writer: inout ByteWriter) {
        for interval in [heartbeat, suspicion, stall, minimumTTL, maximumTTL] {
            writer.integer(UInt32(clamping: interval.milliseconds))
        }
    }
}

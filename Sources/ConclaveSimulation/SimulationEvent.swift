/// Everything that happens in a simulated world, as small numbers: what they mean is known by the
/// part that scheduled them. `connection`, `run` and `stamp` make what was overtaken stale.
package enum SimulationEvent: BitwiseCopyable, Sendable {
    /// The first frames of a stream reach the other end.
    case arrival(stream: UInt16, connection: UInt32)
    /// An end of a connection learns that it is open.
    case established(end: UInt16, connection: UInt32)
    /// An end learns that the other one closed the connection or does not know it.
    case broken(end: UInt16, connection: UInt32)
    /// An end has had enough of bytes that nobody acknowledges.
    case giveUp(end: UInt16, connection: UInt32)
    case dial(pair: UInt16, serial: UInt32)
    /// The first operation of a lane is done.
    case disk(host: UInt8, lane: UInt8, run: UInt32)
    /// A process gets the processor.
    case turn(process: UInt16, stamp: UInt32)
    /// A process's timer runs out.
    case timer(process: UInt16, stamp: UInt32)
    /// A host's daemon is started.
    case start(host: UInt8, stamp: UInt32)
    /// The next thing goes wrong, or one that did is put right.
    case fault(index: UInt16, stamp: UInt32)
    /// The workload has something to do.
    case work(index: UInt16, stamp: UInt32)

    /// For the digest of the trace.
    package var word: UInt64 {
        switch self {
        case .arrival(let index, let stamp): Self.word(1, index, stamp)
        case .established(let index, let stamp): Self.word(2, index, stamp)
        case .broken(let index, let stamp): Self.word(3, index, stamp)
        case .dial(let index, let stamp): Self.word(4, index, stamp)
        case .disk(let host, let lane, let run):
            Self.word(5, UInt16(host) << 8 | UInt16(lane), run)
        case .turn(let index, let stamp): Self.word(6, index, stamp)
        case .timer(let index, let stamp): Self.word(7, index, stamp)
        case .start(let host, let stamp): Self.word(8, UInt16(host), stamp)
        case .fault(let index, let stamp): Self.word(9, index, stamp)
        case .work(let index, let stamp): Self.word(10, index, stamp)
        case .giveUp(let index, let stamp): Self.word(11, index, stamp)
        }
    }

    private static func word(_ kind: UInt64, _ index: UInt16, _ stamp: UInt32) -> UInt64 {
        kind << 48 | UInt64(index) << 32 | UInt64(stamp)
    }
}

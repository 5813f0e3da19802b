package import ConclaveBase
package import ConclaveService

/// What waits for a process's next turn, and the process's place in the world's time: when it gets
/// the processor, and whether it is held back.
package final class Inbox {
    package enum Input {
        case fabric(FabricDelivery)
        case disk(DiskInput)
        /// To a daemon, of its clients.
        case client(ClientInput)
        /// To a client, of its daemon.
        case socket(SocketInput)
    }

    package let process: UInt16
    /// How long it takes from the first input to the turn.
    var wakeUp = Delays(.microseconds(2) ... .microseconds(30))
    private(set) var pausedUntil = Moment.start
    /// False while there is no process: what comes in is lost.
    private(set) var isOpen = false

    private let timeline: Timeline
    private var random: SeededRandom
    private var inputs: [Input] = []
    private var turnAt = Moment.never
    private var timerAt = Moment.never
    private var stamp: UInt32 = 0

    package init(process: UInt16, timeline: Timeline, random: SeededRandom) {
        self.process = process
        self.timeline = timeline
        self.random = random
    }

    package func open() {
        isOpen = true
        pausedUntil = timeline.now
        askForTurn()
    }

    /// The process is gone: its inputs with it, and its turns never come.
    package func close() {
        isOpen = false
        inputs.removeAll()
        turnAt = .never
        timerAt = .never
        stamp += 1
    }

    package func put(_ input: Input) {
        guard isOpen else { return }
        inputs.append(input)
        askForTurn()
    }

    /// Gives the process the processor soon.
    package func askForTurn() {
        guard isOpen, turnAt == .never else { return }
        turnAt = max(timeline.now.advanced(by: wakeUp.draw(from: &random)), pausedUntil)
        timeline.schedule(.turn(process: process, stamp: stamp), at: turnAt)
    }

    /// Holds the process back; its clock runs on and its inputs pile up.
    package func pause(for interval: Interval) {
        pausedUntil = max(pausedUntil, timeline.now.advanced(by: interval))
    }

    package func resume() {
        pausedUntil = timeline.now
        guard turnAt != .never else { return }
        // The turn stands where the pause would have ended.
        stamp += 1
        turnAt = .never
        timerAt = .never
        askForTurn()
    }

    /// Whether the turn takes place: `false` if it was overtaken or must wait.
    package func beginTurn(stamp: UInt32) -> Bool {
        guard isOpen, stamp == self.stamp, turnAt != .never else { return false }
        if pausedUntil > timeline.now {
            turnAt = pausedUntil
            timeline.schedule(.turn(process: process, stamp: stamp), at: turnAt)
            return false
        }
        turnAt = .never
        return true
    }

    package func timerRanOut(stamp: UInt32) {
        guard isOpen, stamp == self.stamp, timerAt == timeline.now else { return }
        timerAt = .never
        askForTurn()
    }

    /// Asks for a turn at `moment`. An earlier timer that is still set is left standing: the turn it
    /// brings finds nothing due and asks again.
    package func setTimer(at moment: Moment) {
        // A process may end in its turn: what it wanted then is nobody's.
        guard isOpen, moment < timerAt else { return }
        timerAt = max(moment, timeline.now)
        timeline.schedule(.timer(process: process, stamp: stamp), at: timerAt)
    }

    /// Hands over what came in; the array given is reused.
    package func take(into taken: inout [Input]) {
        if !taken.isEmpty { taken.removeAll(keepingCapacity: true) }
        swap(&taken, &inputs)
    }
}

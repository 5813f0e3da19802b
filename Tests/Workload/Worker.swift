import Conclave
import ConclaveBase
import ConclaveSimulation

/// Lives one life after the other: each asks, waits, holds and gives up until its session is lost.
struct Worker {
    enum Role: CaseIterable {
        case locker
        case candidate
        case party
        case writer
    }

    /// A session that goes well lasts for so many operations.
    private static let operationsPerLife = 200
    static let lockNames = ["lock-0", "lock-1", "lock-2"].map(Worker.name)
    static let slotNames = ["slot-0", "slot-1"].map(Worker.name)
    static let barrierName = Worker.name("barrier")
    static let partyCount = 3

    let role: Role
    let socket: String
    let history: HistoryFile
    let tally: Tally
    var random: SeededRandom
    /// Asked before each operation.
    let isOver: @Sendable () -> Bool

    private static func name(_ text: String) -> ObjectName {
        guard let name = try? ObjectName(text) else { preconditionFailure("\(text) is no name") }
        return name
    }

    mutating func run() async {
        while !isOver() {
            guard let life = await connect() else { continue }
            await live(life)
        }
    }

    private mutating func live(_ life: Life) async {
        var operationCount = 0
        while !isOver(), !life.isLost, operationCount < Self.operationsPerLife {
            guard await act(life) else { return }
            operationCount += 1
            await pause(milliseconds: 2...40)
        }
        await life.end()
    }

    private func connect() async -> Life? {
        do {
            let conclave = try await Conclave.connect(socket: socket, label: "workload")
            return Life(conclave, history: history, tally: tally)
        } catch {
            try? await Task.sleep(for: .milliseconds(100))
            return nil
        }
    }

    /// Whether the life goes on; if not, its end is written down.
    private mutating func act(_ life: Life) async -> Bool {
        switch role {
        case .locker: return await takeLock(life)
        case .candidate: await lead(life)
        case .party: await arrive(life)
        case .writer: await configure(life)
        }
        return true
    }

    // MARK: - Chance

    mutating func chance(of count: UInt64) -> Bool { random.below(count) == 0 }

    mutating func number(in range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + random.below(range.upperBound - range.lowerBound + 1)
    }

    mutating func draw(_ names: [ObjectName]) -> ObjectName {
        names[Int(random.below(UInt64(names.count)))]
    }

    private mutating func pause(milliseconds: ClosedRange<UInt64>) async {
        try? await Task.sleep(for: .milliseconds(number(in: milliseconds)))
    }
}

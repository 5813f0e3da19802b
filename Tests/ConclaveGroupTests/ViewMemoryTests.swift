import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `View memory` {
    private func view(_ epoch: UInt64, lineage: Lineage = Sample.lineage) -> NextView {
        var value = Sample.view
        value.lineage = lineage
        value.installed.view.epoch = Epoch(epoch)
        return value
    }

    private func ballot(_ round: UInt64, _ rank: Int = 0) -> Ballot {
        Ballot(round: round, rank: Rank(rank))
    }

    private let loss = ViewMemory.Loss(lineage: Sample.lineage, epoch: Epoch(4), number: 1)

    private var inEpochOne: ViewMemory {
        var memory = ViewMemory()
        memory.apply(.founding(Sample.lineage, members: [NodeID(3), NodeID(5)]))
        memory.apply(.installed(view(1), voteFrom: Epoch(1)))
        return memory
    }

    /// The summary must say the same as the whole journal, whatever was recorded.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `its summary says what it says`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var memory = ViewMemory()
        for _ in 0..<30 {
            let round = random.below(5)
            switch random.below(7) {
            case 0: memory.apply(.founding(Sample.lineage, members: [NodeID(3)]))
            case 1: memory.apply(.promise(memory.epoch, ballot(round)))
            case 2: memory.apply(.accept(ballot(round), view(memory.epoch.number + 1)))
            case 3: memory.apply(.joining(Sample.other))
            case 5 where random.chance(perMille: 300): memory.apply(.lost(loss))
            case 4:
                let next = view(memory.epoch.number + 1)
                memory.apply(.installed(next, voteFrom: Epoch(random.below(9))))
            default: memory.apply(.promise(Epoch(random.below(4)), ballot(round, 1)))
            }
            var again = ViewMemory()
            for record in memory.summary { again.apply(record) }
            #expect(again == memory)
        }
    }

    @Test func `V14: ballots are ordered by round and then by rank`() {
        let ordered = [Ballot.none, ballot(0, 1), ballot(1), ballot(1, 2), ballot(2)]
        #expect(ordered.reversed().sorted() == ordered)
        #expect("\(ballot(3, 2))" == "3.2")
    }

    @Test func `a promise of another epoch or a lower ballot changes nothing`() {
        var memory = inEpochOne
        memory.apply(.promise(Epoch(1), ballot(5)))
        memory.apply(.promise(Epoch(1), ballot(4)))
        memory.apply(.promise(Epoch(2), ballot(9)))
        #expect(memory.promised == ballot(5))
    }

    @Test func `accepting implies promising`() {
        var memory = inEpochOne
        memory.apply(.accept(ballot(3), view(2)))
        #expect(memory.promised == ballot(3))
        memory.apply(.accept(ballot(2), view(2)))
        #expect(memory.accepted?.ballot == ballot(3))
        memory.apply(.accept(ballot(4), view(3)))
        #expect(memory.accepted?.ballot == ballot(3))
    }

    @Test func `V16: a higher promise does not forget what was accepted`() {
        var memory = inEpochOne
        memory.apply(.accept(ballot(3), view(2)))
        memory.apply(.promise(Epoch(1), ballot(8)))
        #expect(memory.accepted?.ballot == ballot(3))
        #expect(memory.promised == ballot(8))
    }

    @Test func `C1: a view of an older epoch is not installed, and a new one begins afresh`() {
        var memory = inEpochOne
        memory.apply(.accept(ballot(3), view(2)))
        memory.apply(.installed(view(1), voteFrom: Epoch(.max)))
        #expect(memory.accepted != nil)
        #expect(memory.voteFrom == Epoch(1))
        memory.apply(.installed(view(4), voteFrom: Epoch(1)))
        #expect(memory.epoch == Epoch(4))
        #expect(memory.accepted == nil)
        #expect(memory.promised == .none)
    }

    @Test func `a view of another lineage replaces everything`() {
        var memory = inEpochOne
        memory.apply(.installed(view(9), voteFrom: Epoch(1)))
        let other = Lineage(high: 5, low: 5)
        memory.apply(.installed(view(1, lineage: other), voteFrom: Epoch(.max)))
        #expect(memory.lineage == other)
        #expect(memory.epoch == Epoch(1))
    }

    @Test func `V13: a loss leaves nothing, and is over with the first vote that is earned`() {
        var memory = inEpochOne
        memory.apply(.promise(Epoch(1), ballot(5)))
        memory.apply(.lost(loss))
        #expect(memory.current == nil && memory.founding == nil)
        #expect(memory.voteFrom == Epoch(.max))
        #expect(memory.mayJoin(Sample.lineage))
        #expect(!memory.mayJoin(Lineage(high: 5, low: 5)))
        memory.apply(.installed(view(7), voteFrom: Epoch(.max)))
        #expect(memory.loss == loss)
        memory.apply(.installed(view(8), voteFrom: Epoch(8)))
        #expect(memory.loss == nil)
    }
}

import ConclaveBase
import Testing

@testable import ConclaveCoordination

@Suite struct `An index of rows` {
    /// Few hashes for many keys, so that they get into each other's way.
    private struct Row: KeyedRow {
        struct Key: Hashable {
            var number: Int
            var hashCount: Int

            func hash(into hasher: inout Hasher) { hasher.combine(number % hashCount) }
        }

        var key: Key

        func has(_ key: Key) -> Bool { self.key == key }
    }

    @Test(arguments: [1, 3, 1_000_000])
    func `finds what was inserted and not removed, however keys collide`(hashCount: Int) {
        var random = SeededRandom(seed: UInt64(hashCount))
        var rows = Arena<Row>()
        var index = RowIndex()
        var places: [Int: Int] = [:]
        for _ in 0..<20_000 {
            let number = Int(random.below(300))
            let key = Row.Key(number: number, hashCount: hashCount)
            if let place = places.removeValue(forKey: number) {
                rows.remove(place)
                index.remove(key, at: place)
            } else {
                let place = rows.insert(Row(key: key))
                index.insert(key, at: place, of: rows)
                places[number] = place
            }
            let asked = Int(random.below(300))
            let found = index.find(Row.Key(number: asked, hashCount: hashCount), in: rows)
            #expect(found == places[asked])
        }
        for number in 0..<300 {
            let found = index.find(Row.Key(number: number, hashCount: hashCount), in: rows)
            #expect(found == places[number])
        }
    }

    @Test func `an empty one finds nothing`() {
        let key = Row.Key(number: 1, hashCount: 1)
        #expect(RowIndex().find(key, in: Arena<Row>()) == nil)
        var (rows, index) = (Arena<Row>(), RowIndex())
        let place = rows.insert(Row(key: key))
        index.insert(key, at: place, of: rows)
        rows.remove(place)
        index.remove(key, at: place)
        #expect(index.find(key, in: rows) == nil)
    }
}

import Testing

@testable import conclave_bench

@Suite struct `A comparison` {
    private func line(
        _ system: String, _ value: Double, measure: String = "m", unit: String = "us",
        round: Int? = nil, more: String = ""
    ) throws -> FigureLine {
        let mark = round.map { ",\"round\":\($0)" } ?? ""
        let text =
            "{\"system\":\"\(system)\",\"measure\":\"\(measure)\",\"unit\":\"\(unit)\","
            + "\"p50\":\(value),\"p99\":\(value * 3)\(mark)\(more)}"
        return try #require(try FigureLine(try JSONLine(text)))
    }

    private func standing(_ lines: [FigureLine]) -> Comparison.Standing? {
        Comparison(lines).rows.first { $0.way.system == "conclave" }?.standing
    }

    @Test(
        arguments: [([], 0), ([3], 3), ([5, 1, 3], 3), ([4, 1, 3, 100], 3.5)]
            as [([Double], Double)])
    func `takes the number in the middle`(numbers: [Double], median: Double) {
        #expect(Comparison.median(numbers) == median)
    }

    @Test func `has one row for all lines of the same work and way`() throws {
        let rows = Comparison([
            try line("etcd", 30, round: 1), try line("conclave", 1, round: 1),
            try line("etcd", 10, round: 2), try line("etcd", 20, round: 3),
        ]).rows
        #expect(rows.map(\.way.system) == ["conclave", "etcd"])
        #expect(rows[1].lineCount == 3)
        #expect(rows[1].median == 20 && rows[1].lowest == 10 && rows[1].highest == 30)
        #expect(rows[1].p99 == 60)
        #expect(rows[1].standing == nil)
    }

    @Test func `divides within each round, since the machine is the same in it`() throws {
        // The machine was ten times slower in the second round; the ratio of the medians is 20.
        let found = standing([
            try line("conclave", 1, round: 1), try line("etcd", 4, round: 1),
            try line("conclave", 10, round: 2), try line("etcd", 40, round: 2),
            try line("conclave", 1, round: 3), try line("etcd", 20, round: 3),
        ])
        #expect(found?.timesBetter == 4)
        #expect(found?.timesBetterAtP99 == 4)
    }

    @Test func `divides medians where no round is marked`() throws {
        let found = standing([
            try line("conclave", 1), try line("conclave", 10), try line("conclave", 1),
            try line("etcd", 4), try line("etcd", 40), try line("etcd", 20, round: 3),
        ])
        #expect(found?.timesBetter == 20)
    }

    @Test(arguments: [("us", 5.0), ("MiB", 5.0), ("pairs/s", 0.2)])
    func `knows what is better`(unit: String, times: Double) throws {
        let found = standing([
            try line("conclave", 2, unit: unit), try line("etcd", 10, unit: unit),
        ])
        #expect(found?.timesBetter == times)
    }

    @Test(arguments: [("us", "zookeeper"), ("pairs/s", "etcd")])
    func `is with the best of the others`(unit: String, peer: String) throws {
        let found = standing([
            try line("etcd", 10, unit: unit), try line("zookeeper", 8, unit: unit),
            try line("conclave", 1, unit: unit),
        ])
        #expect(found?.peer.system == peer)
    }

    @Test func `is of the same work only, and of whatever way it is done in`() throws {
        let rows = Comparison([
            try line("conclave", 1, more: ",\"workers\":64,\"durability\":\"disk\""),
            try line("conclave", 2, more: ",\"workers\":64,\"durability\":\"memory\""),
            try line("etcd", 10, more: ",\"workers\":64,\"conns\":8"),
            try line("etcd", 1, more: ",\"workers\":256,\"conns\":8"),
            try line("zookeeper", 1, measure: "other", more: ",\"workers\":64"),
        ]).rows
        let found = rows.map {
            "\($0.way.system) \($0.way.details) \($0.standing?.timesBetter ?? 0)"
        }
        #expect(
            found == [
                "conclave durability disk 10.0", "conclave durability memory 5.0",
                "etcd conns 8 0.0", "etcd conns 8 0.0", "zookeeper  0.0",
            ])
    }

    @Test func `takes closed process groups for task groups`() throws {
        let found = standing([
            try line("conclave", 4, measure: "mcast.latency"),
            try line("corosync", 2, measure: "cpg.latency"),
        ])
        #expect(found?.timesBetter == 0.5)
    }

    @Test func `with nothing is none`() throws {
        #expect(standing([try line("conclave", 0), try line("etcd", 5)]) == nil)
        #expect(standing([try line("conclave", 5)]) == nil)
    }

    @Test func `is printed in columns, with nobody's control characters`() throws {
        let rows = Comparison([
            try line("conclave", 1.5, more: ",\"workers\":1"),
            try line("etcd", 1_234, more: ",\"workers\":1,\"target\":\"a\\u001b[2J\""),
        ]).rows
        let expected = [
            "measure  unit  of         system    way           lines  "
                + "median   low  high   p99  better  at p99  than",
            "m        us    workers 1  conclave                    1  "
                + "  1.50  1.50  1.50  4.50    823x    823x  etcd",
            "m        us    workers 1  etcd      target a?[2J      1  "
                + "  1234  1234  1234  3702",
        ]
        #expect(ComparisonTable(rows).text == expected.joined(separator: "\n"))
        let fields = "{\(rows[0].fields.map(\.json).joined(separator: ","))}"
        #expect(try JSONLine(fields).number("times_better") == 822.67)
    }
}

import Foundation
import TestSupport
import Testing

/// Each measure of `conclave-bench`, in short, against daemons of its own.
@Suite(.serialized) struct `The benchmark` {
    private struct Line {
        var members: [String: Any]

        init(_ text: Substring) throws {
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
            members = try #require(object as? [String: Any], "\(text)")
        }

        var measure: String { members["measure"] as? String ?? "" }
        func number(_ name: String) -> Double? { (members[name] as? NSNumber)?.doubleValue }
    }

    /// What it prints, without the line about the machine.
    private func figures(_ arguments: [String]) throws -> [Line] {
        let directory = try TemporaryDirectory()
        let bench = try Running(
            Programs.bench, ["--json", "--dir", directory.path] + arguments, in: directory)
        let ending = try bench.end(seconds: 120)
        #expect(ending.status == 0, "\(ending.errors)")
        let lines = try ending.output.split(separator: "\n").map { try Line($0) }
        #expect(lines.first?.measure == "run")
        #expect(lines.first?.members["fs"] is String && lines.first?.members["cpus"] is Int)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(!left.contains { $0.hasPrefix("conclave-bench") }, "\(left)")
        return Array(lines.dropFirst())
    }

    private func check(_ line: Line, _ words: [String], _ unit: String) {
        #expect(line.members["system"] as? String == "conclave")
        #expect(line.members["durability"] as? String == "memory")
        #expect(line.members["unit"] as? String == unit, "\(line.measure)")
        for word in words + ["fsync_us", "uds_us"] {
            #expect(line.members[word] != nil, "\(line.measure) has no \(word)")
        }
        guard let median = line.number("p50") else {
            #expect((line.number("value") ?? -1) >= 0, "\(line.measure)")
            return
        }
        #expect((line.number("n") ?? 0) > 0 && median > 0, "\(line.measure)")
        // Percentiles have three digits.
        let figures = ["min", "p50", "p99", "p999", "max"].compactMap { line.number($0) }
        #expect(figures.count == 5, "\(line.measure)")
        for (left, right) in zip(figures, figures.dropFirst()) {
            #expect(left <= right * 1.002, "\(line.measure): \(figures)")
        }
    }

    private static let locks = ["workers", "conns", "target"]
    private static let parties = ["parties", "conns", "target"]
    private static let pairs: [(String, String, [String])] = [
        ("acquire", "us", locks), ("release", "us", locks), ("pair", "us", locks),
        ("rate", "pairs/s", locks),
    ]

    /// Measures by the lines they print, those with the members that say how.
    private static let expected: [String: [(String, String, [String])]] = [
        "lock.solo": pairs.map { ("lock.solo.\($0.0)", $0.1, $0.2) } + [
            ("cpu.per10k", "s", locks + ["client_cpu"])
        ],
        "lock.parallel": pairs.map { ("lock.parallel.\($0.0)", $0.1, $0.2) } + [
            ("cpu.per10k", "s", locks + ["client_cpu"])
        ],
        "lock.handoff": [
            ("lock.handoff", "us", locks + ["violations"]),
            ("lock.handoff.rate", "handoffs/s", locks + ["server_cpu_per10k"]),
        ],
        "barrier.last": [("barrier.last", "us", parties)],
        "barrier.storm": [("barrier.storm", "us", parties)],
        "barrier.leave": [("barrier.leave", "us", parties)],
        "barrier.break": [("barrier.break", "us", ["waiting", "conns", "target"])],
        "elect.kill9": [("elect.kill9", "ms", ["ttl_asked_s", "target"])],
        "elect.close": [("elect.close", "ms", ["ttl_asked_s", "target"])],
        "gap.server_kill": [
            ("gap.server_kill", "ms", ["longest_before_ms", "errors", "victim"])
        ],
        "watch.notify": [
            ("watch.notify", "us", ["writer", "watcher", "how"]),
            ("watch.put_ack", "us", ["writer", "watcher"]),
            ("watch.notify", "us", ["writer", "watcher", "how"]),
            ("watch.put_ack", "us", ["writer", "watcher"]),
        ],
        "watch.fanout": [
            ("watch.fanout", "us", ["watchers", "conns", "server_cpu_per10k"])
        ],
        "mcast.latency": [
            ("mcast.latency", "us", ["bytes", "members", "server_cpu_per10k", "how"])
        ],
        "mcast.rate": [
            ("mcast.rate", "msg/s", ["bytes", "members", "senders", "mb_s", "own_share"]),
            ("mcast.rate", "msg/s", ["bytes", "members", "senders", "server_cpu_per10k"]),
        ],
        "mcast.kill9": [("mcast.kill9", "ms", ["how"])],
        "cpu.per10k": [("cpu.per10k", "s", locks + ["client_cpu"])],
        "cpu.idle": [("cpu.idle", "%", ["daemons"])],
        "rss.idle": [("rss.idle", "MiB", ["daemons"])],
        "rss.held": [
            ("rss.held", "MiB", ["held", "idle", "bytes_per_lock"]),
            ("hold.rate", "acquires/s", ["workers", "conns", "server_cpu_per10k"]),
            ("hold.drop", "ms", ["held", "conns", "server_cpu_per10k"]),
        ],
        "view.change": [("view.change", "ms", ["objects", "sessions", "taking_s"])],
        "join.blank": [
            ("join.blank.quiet", "us", ["objects", "sessions"]),
            ("join.blank", "us", ["objects", "sessions"]),
            ("join.blank.ratio", "p99 to p99 in quiet", ["objects", "sessions"]),
        ],
        "start.all": [("start.all", "ms", ["objects", "sessions"])],
    ]

    @Test(arguments: expected.keys.sorted())
    func `tells a measure with the names and members that the comparison reads`(
        measure: String
    ) throws {
        let lines = try figures([
            "--cluster", "3", "--durability", "memory", "--secs", "0.2", "--workers", "4",
            "--conns", "2", "--rounds", "2", "--objects", "200", measure,
        ])
        let expected = try #require(Self.expected[measure])
        #expect(lines.map(\.measure).sorted() == expected.map(\.0).sorted())
        for line in lines {
            for (name, unit, words) in expected where name == line.measure {
                check(line, words, unit)
            }
        }
        for line in lines where line.members["violations"] != nil {
            #expect(line.number("violations") == 0)
        }
        if measure == "rss.held" { #expect(lines.first?.number("held") == 200) }
    }

    @Test func `begins as many pairs as are asked for, and counts those that it cannot`() throws {
        let common = ["--cluster", "1", "--durability", "memory", "--workers", "4", "--conns", "1"]
        let slow = try figures(common + ["--secs", "1", "--rate", "100", "lock.parallel"])
        let pair = try #require(slow.first { $0.measure == "lock.parallel.pair" })
        check(pair, Self.locks + ["late_us"], "us")
        #expect(pair.number("n") == 100 && pair.number("unsent") == 0)
        #expect(pair.number("offered") == 100)

        // More than any machine can: nothing that was to begin is left out.
        let fast = try figures(common + ["--secs", "0.2", "--rate", "5000000", "lock.solo"])
        let late = try #require(fast.first { $0.measure == "lock.solo.pair" })
        #expect(late.number("n") == 1_000_000)
        #expect((late.number("unsent") ?? 0) > 900_000)
        #expect((late.number("p50") ?? 0) > 200_000)
    }

    @Test func `compares what it has told, and names a line that is no figure`() throws {
        let directory = try TemporaryDirectory()
        let figures = try directory.write(
            """
            {"system":"conclave","measure":"lock.solo.pair","unit":"us","p50":100,"round":1}
            {"system":"etcd","measure":"lock.solo.pair","unit":"us","p50":400,"round":1}

            """, to: "figures")
        let table = try Running(Programs.bench, ["compare", figures], in: directory).end()
        #expect(table.status == 0)
        #expect(table.output.contains("4.00x"))

        let broken = try directory.write("{\"system\":\"etcd\"\n", to: "broken")
        let refused = try Running(Programs.bench, ["compare", figures, broken], in: directory)
            .end()
        #expect(refused.status == 65)
        #expect(refused.errors.hasPrefix("conclave-bench: \(broken):1: "), "\(refused.errors)")
        #expect(
            try Running(Programs.bench, ["compare", "/nowhere/f"], in: directory).end().status
                == 66)
    }

    @Test func `is not measured beside what is missing, which is named`() throws {
        let directory = try TemporaryDirectory()
        let peers = Programs.script("Tests/peers")
        let environment = ["ETCD": "/nowhere/etcd"]
        let refused = try Running(
            peers, ["--systems", "etcd"], environment: environment, in: directory
        ).end()
        #expect(refused.status == 69)
        #expect(refused.errors.contains("missing for etcd: an etcd server"), "\(refused.errors)")
        #expect(refused.errors.contains("--install"))
        let wrong = try Running(peers, ["--systems", "nothing"], in: directory).end()
        #expect(wrong.status == 64)
    }

    @Test func `is drawn, a panel a measure, with its slope; nothing has no place there`() throws {
        let directory = try TemporaryDirectory()
        func point(_ at: Int, _ value: String) -> String {
            "{\"system\":\"conclave\",\"measure\":\"barrier.last\",\"unit\":\"us\",\"p50\":\(value),"
                + "\"server_cpu_per10k\":0.00,\"axis\":\"parties\",\"at\":\(at)}\n"
        }
        let points = try directory.write(
            point(1, "0.00") + point(2, "10.50") + point(8, "168.00"), to: "points")
        let sweep = Programs.script("Tests/sweep")
        let drawn = try Running(sweep, ["--draw", points], in: directory).end()
        #expect(drawn.status == 0)
        #expect(drawn.errors == "2.00\tbarrier.last, us, by parties\n")
        #expect(drawn.output.hasPrefix("<svg ") && drawn.output.hasSuffix("</svg>\n"))
        #expect(drawn.output.ranges(of: "<circle ").count == 2)

        let figure = try directory.write("{\"measure\":\"barrier.last\",\"p50\":1}\n", to: "f")
        let refused = try Running(sweep, ["--draw", figure], in: directory).end()
        #expect(refused.status == 65)
        #expect(refused.errors.hasPrefix("\(figure):1: "), "\(refused.errors)")
        #expect(try Running(sweep, ["--axes", "width"], in: directory).end().status == 64)
    }
}

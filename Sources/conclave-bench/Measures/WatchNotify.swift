import Conclave

/// A key is put until another session is told.
struct WatchNotify {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let bench = bench
        let places = bench.group.sockets.count > 1 ? ["same", "other"] : ["same"]
        for (index, place) in places.enumerated() {
            let sockets = bench.group.sockets
            try bench.wait {
                try await Self.run(
                    bench, watcher: place, writing: sockets[0], watching: sockets[index],
                    nanoseconds: UInt64(bench.options.secs * 1e9) / UInt64(places.count))
            }
        }
    }

    private static func run(
        _ bench: Bench, watcher: String, writing: String, watching: String, nanoseconds: UInt64
    ) async throws {
        let writer = try await Conclave.connect(socket: writing, label: "bench")
        let reader = try await Conclave.connect(socket: watching, label: "bench")
        let key = "bench/watch/\(watcher)"
        var updates = reader.configuration.watch(key).makeAsyncIterator()
        var told = Samples()
        var acknowledged = Samples()
        let end = Machine.now + nanoseconds
        // The state as it is comes first, and shows that the watch has begun.
        _ = try await updates.next()
        while Machine.now < end {
            let start = Machine.now
            async let answered = put(writer, key)
            while let update = try await updates.next(), update.change == nil {}
            let seen = Machine.now
            let answer = try await answered
            told.add(from: start, to: seen)
            acknowledged.add(from: start, to: answer)
        }
        let how = [
            Field("writer", .text("first")), Field("watcher", .text(watcher)),
            Field("how", .text("put called until the watcher is told")),
        ]
        bench.report.distribution("watch.notify", .microseconds, told, how)
        bench.report.distribution("watch.put_ack", .microseconds, acknowledged, how)
        await writer.close()
        await reader.close()
    }

    private static func put(_ writer: Conclave, _ key: String) async throws -> UInt64 {
        _ = try await writer.configuration.put(key, "value")
        return Machine.now
    }
}

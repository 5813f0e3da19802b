import Foundation
import TestSupport
import Testing

/// Every row of the table of exit codes of `conclave`.
@Suite(.serialized) struct `Exit codes of conclave` {
    @Test func `the child's own code, and 128 + n for signal n, are passed on`() throws {
        let group = try Group.serving(of: 1)
        #expect(try group.run("lock", ["a", "--", "sh", "-c", "exit 7"]).status == 7)
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
        #expect(try group.run("lock", ["a", "--", "sh", "-c", "kill -TERM $$"]).status == 143)
        #expect(try group.run("elect", ["s", "--", "sh", "-c", "exit 9"]).status == 9)
    }

    @Test(arguments: [64, 77, 126, 127])
    func `a command is run again whatever it ends with, when that is wanted`(code: Int) throws {
        let group = try Group.serving(of: 1)
        let leader = try group.begin(
            "elect", ["s", "--repeat", "--", "sh", "-c", "echo run; exit \(code)"])
        try wait(for: "the second run: \(leader.output) \(leader.errors)") {
            leader.output.hasPrefix("run\nrun\n")
        }
        leader.kill()
    }

    @Test func `the command gets its arguments byte for byte, and a name is UTF-8`() throws {
        let group = try Group.serving(of: 1)
        let script = "word=$(printf 'caf\\351'); "
        let passed = try group.run(
            "lock",
            [
                "a", "--", "sh", "-c",
                script + "exec \(Programs.conclave) lock b -- printf %s \"$word\" | od -An -tx1",
            ])
        #expect(passed.output.contains("63 61 66 e9"))
        let named = script + "exec \(Programs.conclave) lock \"$word\" -- true"
        #expect(try group.run("lock", ["a", "--", "sh", "-c", named]).status == 64)
    }

    @Test func `126 and 127 say that the program cannot run, and the lock was not taken`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a")
        let plain = try group.directory.write("no program\n", to: "plain")

        // The lock is held by another: whoever tried to take it would wait.
        #expect(try group.run("lock", ["a", "--", plain], seconds: 5).status == 126)
        #expect(
            try group.run("lock", ["a", "--", "no-such-program-anywhere"], seconds: 5).status == 127
        )
        holder.kill()
    }

    @Test func `1 says not obtained: busy, waited too long, barrier timed out`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a")

        #expect(try group.run("lock", ["a", "--try", "--", "true"]).status == 1)
        #expect(try group.run("lock", ["a", "--wait", "200ms", "--", "true"]).status == 1)
        let barrier = try group.run("barrier", ["b", "--parties", "2", "--timeout", "200ms"])
        #expect(barrier.status == 1)
        holder.kill()
    }

    @Test(arguments: ["maxSessionTtl: 3s", "timing: { suspicion: 2s }"])
    func `without --ttl any group takes a session, and a ttl that it does not take is refused`(
        settings: String
    ) throws {
        let group = try Group.serving(of: 1, extra: settings)
        #expect(try group.run("lock", ["a", "--", "sleep", "3"]).status == 0)
        #expect(try group.run("put", ["key", "value"]).status == 0)
        let refused = try group.run("lock", ["a", "--ttl", "5s", "--", "true"])
        #expect(refused.status != 0)
        #expect(refused.errors.contains("ttl: "), "\(refused.errors)")
    }

    @Test func `the command is told how the holder before lost the lock`() throws {
        let group = try Group.serving(of: 1)
        let script = ["--wait", "20s", "--", "sh", "-c", "echo $CONCLAVE_PREVIOUS_END"]
        #expect(try group.run("lock", ["a"] + script).output == "none\n")
        try group.hold("a").kill()
        #expect(try group.run("lock", ["a"] + script).output == "died\n")
        #expect(try group.run("lock", ["a"] + script).output == "none\n")
    }

    @Test func `a lock whose holder died stays closed for the delay that it had asked for`() throws
    {
        let group = try Group.serving(of: 1)
        try group.hold("a", ["--lock-delay", "2s"]).kill()
        let lost = ContinuousClock.now
        try wait(for: "the loss") {
            (try? group.run("why", ["a"]).output.contains("closed for 2.0 s")) ?? false
        }
        #expect(try group.run("lock", ["a", "--try", "--", "true"]).status == 1)
        let next = ["a", "--wait", "20s", "--", "sh", "-c", "echo $CONCLAVE_PREVIOUS_END"]
        #expect(try group.run("lock", next).output == "died\n")
        #expect(ContinuousClock.now - lost >= .seconds(2))
        #expect(try group.run("lock", ["a", "--lock-delay", "11m", "--", "true"]).status == 64)
    }

    @Test func `the longest takeover is known, and is 1 if it is too long`() throws {
        let group = try Group.serving(of: 1)
        let timing = try group.run("timing", ["--json"])
        #expect(timing.status == 0)
        #expect(timing.output.contains(#""bounds":[{"loss":"process","noticedMilliseconds":0,"#))
        #expect(try group.run("timing", ["--assert-max", "1h"]).status == 0)
        #expect(try group.run("timing", ["--assert-max", "1ms"]).status == 1)
        #expect(try group.run("timing", ["--ttl", "1ms"]).status == 64)
    }

    @Test func `the doctor is 1 if it finds a fault, and 69 without a daemon`() throws {
        let group = try Group.serving(of: 1)
        let doctor = try group.run("doctor", ["--disk", group.directory.path])
        // What it finds on this host is this host's.
        #expect([0, 1].contains(doctor.status), "\(doctor)")
        #expect(doctor.output.hasPrefix("good     daemon: node 1 serves"), "\(doctor)")
        #expect(doctor.output.contains("disk: a write and its sync take"), "\(doctor)")
        let nowhere = try group.run("doctor", ["--disk", "/nowhere/at/all", "--json"])
        #expect(nowhere.status == 1)
        #expect(nowhere.output.contains(#"{"grade":"fault","subject":"disk","#), "\(nowhere)")
        let alone = try Group(of: 1).run("doctor", [])
        #expect(alone.status == 69)
        #expect(alone.output.contains("fault    daemon: no answer"), "\(alone)")
    }

    @Test func `a cycle of three locks is 1, and the cycle is named`() throws {
        let group = try Group.serving(of: 1)
        let marks = ["a", "b", "c"].map { group.directory.file("has-\($0)") }
        func take(_ first: String, _ second: String) throws -> Running {
            let all = marks.map { "[ -e \($0) ]" }.joined(separator: " && ")
            let script =
                "touch \(group.directory.file("has-\(first)")); until \(all); do sleep 0.02; done; "
                + "exec \(Programs.conclave) lock \(second) -- true"
            return try group.begin("lock", [first, "--", "sh", "-c", script])
        }
        let commands = [try take("a", "b"), try take("b", "c"), try take("c", "a")]
        let endings = try commands.map { try $0.end(seconds: 30) }
        let refused = try #require(endings.first { $0.status == 1 })
        #expect(endings.count { $0.status == 0 } == 2, "the others go on")
        #expect(refused.errors.contains("it would wait for itself: session "))
        for name in ["a", "b", "c"] {
            #expect(refused.errors.contains("waits for lock \(name), held by session "))
        }
        let own = "CONCLAVE_TASK=junk exec \(Programs.conclave) lock d -- true"
        #expect(try group.run("lock", ["a", "--", "sh", "-c", own]).status == 64)
    }

    @Test func `a semaphore's limit is its own: another one is 64, one of nothing is 1`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("builds", ["--permits", "2", "--limit", "3"])
        #expect(try group.run("why", ["builds"]).output.contains("2 of 3 permits taken"))
        func take(_ arguments: String...) throws -> Int32 {
            try group.run("lock", ["builds"] + arguments + ["--try", "--", "true"]).status
        }
        #expect(try take("--permits", "1") == 0)
        #expect(try take("--permits", "2") == 1)
        #expect(try take("--permits", "1", "--limit", "4") == 64)
        #expect(try take("--permits", "4") == 64)
        #expect(try take() == 64)
        #expect(try take("--permits", "2", "--limit", "1") == 64)
        #expect(try group.run("limit", ["builds", "4"]).status == 0)
        #expect(try take("--permits", "2", "--limit", "4") == 0)
        #expect(try group.run("limit", ["nothing", "4"]).status == 1)
        #expect(try group.run("limit", ["builds", "0"]).status == 64)
        holder.kill()
    }

    @Test func `1 says that a barrier broke, to everyone who waits at it`() throws {
        let group = try Group.serving(of: 1)
        let first = try group.begin("barrier", ["b", "--parties", "3"], at: 1)
        let second = try group.begin("barrier", ["b", "--parties", "3"], at: 1)
        try wait(for: "two parties") {
            try group.run("why", ["b", "--json"]).output.ranges(of: "\"pid\"").count >= 2
        }
        first.kill()
        #expect(try second.end().status == 1)
    }

    @Test func `0 says that a barrier tripped, for tasks that srun has started, too`() throws {
        let group = try Group.serving(of: 1)
        let tasks = try (0..<3).map { rank in
            try group.begin(
                "barrier", ["--from-environment", "--payload", "from \(rank)"],
                environment: [
                    "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3",
                    "SLURM_PROCID": "\(rank)",
                ])
        }
        for (rank, task) in tasks.enumerated() {
            let ending = try task.end()
            #expect(ending.status == 0, "\(ending.errors)")
            #expect(ending.output.contains("rank \(rank) of 3\n"))
            for other in 0..<3 { #expect(ending.output.contains("from \(other)")) }
        }
        #expect(try group.run("barrier", ["--from-environment"]).status == 64)
    }

    @Test(arguments: [
        ["lock", "a", "--no-such-option", "--", "true"],
        ["lock", "a", "--ttl", "5x", "--", "true"],
        ["lock", "", "--", "true"], ["lock", "a", "--ttl", "1ms", "--", "true"],
        ["lock", String(repeating: "x", count: 256), "--", "true"], ["barrier", "b"],
        ["barrier", "b", "--parties", "0"], ["no-such-command"],
    ])
    func `64 says wrong usage or an invalid value`(arguments: [String]) throws {
        let group = try Group.serving(of: 1)
        let ending = try group.run(arguments[0], Array(arguments.dropFirst()))
        #expect(ending.status == 64, "\(ending.errors)")
        #expect(!ending.errors.isEmpty)
    }

    @Test func `69 says that no daemon is at the socket`() throws {
        let group = try Group(of: 1)
        for command in [
            ["lock", "a", "--", "true"], ["status"], ["barrier", "b", "--parties", "1"],
        ] {
            let ending = try group.run(command[0], Array(command.dropFirst()))
            #expect(ending.status == 69, "\(command)")
            #expect(ending.errors.contains(group.socket(1)))
        }
    }

    @Test(arguments: ["leader q --follow", "views --follow", "watch q"])
    func `who prints without end ends when nobody reads`(command: String) throws {
        let group = try Group.serving(of: 1)
        let line = "'\(Programs.conclave)' \(command) --socket '\(group.socket(1))' | head -n 1"
        let ending = try Running("/bin/sh", ["-c", line], in: group.directory).end(seconds: 10)
        #expect(ending.status == 0)
        #expect(!ending.output.isEmpty)
    }

    @Test func `69 says that the daemon was outside the majority for the whole wait`() throws {
        let group = try Group.serving(of: 3)
        group.kill(2)
        group.kill(3)
        try wait(for: "the loss of the quorum") {
            try group.run("status", ["--json"]).output.contains("\"serving\":false")
        }
        let ending = try group.run("lock", ["a", "--wait", "1s", "--", "true"])
        #expect(ending.status == 69, "\(ending.errors)")
    }

    @Test func `75 says that the daemon went away while waiting and nothing is held`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a", ["--ttl", "30s"])
        let waiter = try group.begin("lock", ["a", "--ttl", "3s", "--", "true"], at: 1)
        try wait(for: "the waiter") { try group.isQueued(1, for: "a") }
        group.kill(1)
        #expect(try waiter.end().status == 75)
        holder.kill()
    }

    @Test func `76 says that the lock was held and lost, and the child was stopped`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a", ["--ttl", "3s"])
        group.kill(1)
        #expect(try holder.end().status == 76)
    }

    /// The daemon hangs: nothing but the page and the own clock says that it is time.
    @Test(arguments: ["signal", "kill"])
    func `a command has ended by the deadline when every daemon is stopped`(
        action: String
    ) throws {
        let group = try Group.serving(of: 1)
        let (beats, told) = (group.directory.file("beats"), group.directory.file("told"))
        let script =
            "trap 'echo told >\(told)' TERM; "
            + "while :; do date +%s%N >>\(beats); sleep 0.02; done"
        let holder = try group.begin(
            "lock", ["a", "--ttl", "3s", "--on-loss", action, "--", "sh", "-c", script], at: 1)
        try wait(for: "the lock") { Self.newest(group.directory.read("beats")) != nil }
        try group.daemon(1).send(SIGSTOP)
        let stopped = try #require(Self.newest(group.directory.read("beats")))
        let ending = try holder.end()
        try group.daemon(1).send(SIGCONT)
        #expect(ending.status == 76, "\(ending.errors)")
        // The last word of the daemon was before, and its deadline is the ttl after that at most.
        let last = try #require(Self.newest(group.directory.read("beats")))
        #expect(last < stopped + 3_100_000_000)
        #expect((group.directory.read("told") == "told\n") == (action == "signal"))
        #expect(try group.run("lock", ["a", "--wait", "20s", "--", "true"]).status == 0)
    }

    /// The last whole line, a number.
    private static func newest(_ lines: String) -> UInt64? {
        guard let end = lines.lastIndex(of: "\n") else { return nil }
        return lines[..<end].split(separator: "\n").last.flatMap { UInt64($0) }
    }

    @Test func `a command that is to be frozen stands still, and ends with the wrapper`() throws {
        let group = try Group.serving(of: 1)
        let script = "while :; do date +%s%N >>\(group.directory.file("beats")); sleep 0.02; done"
        let holder = try group.begin(
            "lock", ["a", "--ttl", "3s", "--on-loss", "freeze", "--", "sh", "-c", script], at: 1)
        try wait(for: "the lock") { Self.newest(group.directory.read("beats")) != nil }
        group.kill(1)
        try wait(for: "the word: \(holder.errors)") {
            holder.errors.contains("the command stands still")
        }
        let last = Self.newest(group.directory.read("beats"))
        usleep(300_000)
        #expect(Self.newest(group.directory.read("beats")) == last)
        #expect(holder.isRunning)
        holder.send(SIGTERM)
        #expect(try holder.end().status == 76)
    }

    @Test func `a command that is only to be told goes on, and 76 says that it was lost`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a", ["--ttl", "3s", "--on-loss", "notify"])
        group.kill(1)
        try wait(for: "the word") { holder.errors.contains("the command goes on") }
        #expect(holder.isRunning)
        group.endHolding("a")
        #expect(try holder.end().status == 76)
    }

    @Test func `74 says that what was to be printed is missing`() throws {
        let group = try Group.serving(of: 1)
        let script = "\(Programs.conclave) lease grant full --ttl 1m --holder nightly >/dev/full"
        let granting = try Running(
            "/bin/sh", ["-c", script], environment: ["CONCLAVE_SOCKET": group.socket(1)],
            in: group.directory
        ).end()
        #expect(granting.status == 74)
        #expect(granting.errors.contains("No space left on device"), "\(granting.errors)")
        #expect(try group.run("lease", ["show", "full"]).output.contains("nightly"))
        // A closed one is not taken for what is opened next.
        let closed = try Running(
            "/bin/sh", ["-c", "\(Programs.conclave) status >&-"],
            environment: ["CONCLAVE_SOCKET": group.socket(1)], in: group.directory
        ).end()
        #expect(closed.status == 74 && closed.errors.contains("Bad file descriptor"), "\(closed)")
    }

    @Test func `77 says that this user may not connect`() throws {
        let group = try Group.serving(of: 1)
        let socket = group.socket(1)
        let ending: Running.Ending
        if getuid() == 0 {
            chmod(group.directory.path, 0o755)
            let arguments = ["--reuid", "65534", "--clear-groups", Programs.conclave, "status"]
            ending = try Running(
                "/usr/bin/setpriv", arguments + ["--socket", socket], in: group.directory
            ).end()
        } else {
            chmod(socket, 0)
            ending = try group.run("status", [])
        }
        #expect(ending.status == 77, "\(ending.errors)")
    }

    @Test func `130 says interrupted while waiting, and no waiter is left behind`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a")
        let waiter = try group.begin("lock", ["a", "--json", "--", "true"], at: 1)
        try wait(for: "the waiter") { try group.isQueued(1, for: "a") }
        waiter.send(SIGINT)
        let ending = try waiter.end()
        #expect(ending.status == 130)
        #expect(ending.errors.hasSuffix(#"{"state":"cancelled","name":"a"}"# + "\n"), "\(ending)")
        #expect(try !group.isQueued(1, for: "a"))
        holder.kill()
    }

    @Test func `130 says that the child got the signal and the lock was released`() throws {
        let group = try Group.serving(of: 1)
        let holder = try group.hold("a")
        holder.send(SIGINT)
        #expect(try holder.end().status == 130)
        #expect(try group.run("lock", ["a", "--try", "--", "true"]).status == 0)
    }
}

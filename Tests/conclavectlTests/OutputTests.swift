import Conclave
import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@testable import conclavectl

@Suite struct `What is printed` {
    @Test func `as JSON is escaped`() {
        let json = JSON.object([
            "text": .string("a\"b\\c\n\u{1}\u{7F}é😀"), "none": .null,
            "numbers": .array([.integer(-1), .unsigned(.max)]), "yes": .bool(true),
            "empty": .object([]),
        ])
        #expect(
            json.description
                == #"{"text":"a\"b\\c\n\u0001\u007fé😀","none":null,"#
                + #""numbers":[-1,18446744073709551615],"yes":true,"empty":{}}"#)
    }

    @Test func `as a table is aligned, and shows nobody's control characters`() {
        var table = Table("NAME", "RANK")
        table.add("long name", "")
        table.add("a\u{1B}[2J", "12")
        #expect(
            table.text == """
                NAME       RANK
                long name  -
                a?[2J      12
                """)
    }

    @Test(arguments: ["\u{202E}", "\u{2028}", "\u{2029}", "\u{2066}", "\u{200F}", "\u{85}"])
    func `on a terminal keeps its line and its direction`(mark: String) {
        #expect("a\(mark)b".shown == "a?b")
    }

    @Test func `of other scripts stays as it is`() {
        for text in ["naïve", "日本語", "שלום", "👩‍👩‍👧", "می‌خواهم"] { #expect(text.shown == text) }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999_000, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_123_456, "2024-03-01T00:00:00.123Z"),
            (4_102_444_799_000_000, "2099-12-31T23:59:59.000Z"),
        ] as [(UInt64, String)])
    func `of a time is ISO 8601`(microseconds: UInt64, text: String) {
        #expect(Timestamp(microseconds: microseconds).text == text)
    }

    private func holder(token: UInt64) -> SessionReport {
        SessionReport(
            session: SessionID(5), host: NodeID(1), pid: 4_711, uid: 0, unit: "m.service",
            label: "migrate.sh", token: token, mode: .exclusive, since: Timestamp(microseconds: 0),
            remaining: token == 0 ? nil : .milliseconds(4_200))
    }

    @Test func `of a group is one line a view or message, with nobody's control characters`() throws
    {
        let member = ConclaveWire.GroupMember(
            token: FencingToken(4), session: SessionID(3), host: NodeID(1), pid: 11, uid: 0,
            label: "w", attributes: try GroupAttributes([.init(name: "gpu", value: "2")]))
        let picture = ClientCore.GroupPicture(
            name: try ObjectName("g"), number: 4, version: Version(4), members: [member])
        let view = GroupUpdate(.view, view: GroupView(picture, joined: [member]))
        #expect(view.text == "view 4: 1 member: 0 node 1 pid 11 gpu=2; joined node 1 pid 11 gpu=2")
        #expect(
            view.json(of: "g").description
                == #"{"event":"view","group":"g","view":4,"version":4,"members":[{"rank":0,"#
                + #""member":4,"session":3,"host":1,"pid":11,"uid":0,"label":"w","#
                + #""attributes":{"gpu":"2"},"hasState":false}],"joined":[4],"departed":[],"#
                + #""adopted":null}"#)
        let adopting = GroupUpdate(.view, view: GroupView(picture, adopted: member))
        #expect(adopting.text.hasSuffix("; has the state now: node 1 pid 11 gpu=2"))
        let delivery = ClientCore.GroupDelivery(
            version: Version(5), time: .zero, number: 4, rank: nil,
            message: ConclaveWire.GroupMessage(
                sender: SessionID(9), member: nil, host: NodeID(2), pid: 5,
                payload: Array("a\u{1B}b\nc".utf8)))
        let message = GroupUpdate(.message, message: GroupMessage(delivery))
        #expect(message.text == "message from no member, node 2 pid 5: a?b c")
    }

    @Test func `of a lock names its holder and its queue`() throws {
        let object = ObjectStatus(
            ObjectReport(
                kind: .lock, name: try ObjectName("db/migrate"), holders: [holder(token: 77)],
                waiters: [holder(token: 0)]))
        let claim =
            #""session":5,"host":1,"pid":4711,"uid":0,"unit":"m.service","label":"migrate.sh","#
            + #""mode":"exclusive","permits":null,"isUpgrading":false,"priority":0"#
        #expect(
            object.json.description
                == #"{"kind":"lock","name":"db/migrate","mode":"exclusive","holders":[{"# + claim
                + #","token":77,"since":"1970-01-01T00:00:00.000Z","remainingMilliseconds":4200,"set":null}],"#
                + #""waiters":[{"# + claim
                + #","token":null,"since":"1970-01-01T00:00:00.000Z","remainingMilliseconds":null,"#
                + #""set":null,"position":1}],"holderCount":1,"waiterCount":1,"parties":0,"generation":0,"#
                + #""value":"","limit":null,"closedForMilliseconds":null,"missing":[],"remaining":null,"#
                + #""group":null}"#
        )
    }

    @Test func `of a semaphore says how many permits are taken`() throws {
        var half = holder(token: 77)
        half.mode = .permits(2, of: 3)
        var urgent = holder(token: 0)
        urgent.mode = .permits(3)
        urgent.priority = 4
        let name = try ObjectName("builds")
        let report = ObjectReport(
            kind: .lock, name: name, holders: [half], waiters: [urgent], limit: 3)
        let object = ObjectStatus(report)
        let explanation = Explanation(
            WhyReport(objects: [report], chain: [], version: Version(1)))
        let lines = explanation.text("builds").split(separator: "\n")
        #expect(lines[0] == "lock builds, 2 of 3 permits taken")
        #expect(lines[1].contains("token 77, 2 permits, held since"))
        #expect(lines[2].contains("3 permits, priority 4, waiting since"))
        #expect(object.json.description.contains(#""limit":3"#))
        #expect(object.json.description.contains(#""permits":3,"isUpgrading":false,"priority":4"#))
    }

    @Test func `of a barrier of a group, and of a group, names the view`() throws {
        let summary = GroupSummary(name: try ObjectName("workers"), view: 12, memberCount: 3)
        var report = ObjectReport(
            kind: .barrier, name: try ObjectName("step"), holders: [], waiters: [], parties: 3,
            generation: 7)
        report.group = summary
        let barrier = Explanation(
            WhyReport(objects: [report], chain: [], version: Version(1)))
        #expect(
            barrier.text("step").hasPrefix(
                "barrier step, generation 7: 0 of 3 arrived, members of group workers in view 12"))
        let group = Explanation(
            WhyReport(objects: [], group: summary, chain: [], version: Version(1)))
        #expect(group.text("workers") == "task group workers, view 12: 3 members")
        #expect(
            group.json("workers").description.contains(
                #""group":{"name":"workers","view":12,"memberCount":3}"#))
    }

    @Test func `of a lock that is kept for somebody says for how many, and what is missing`() throws
    {
        var waiter = holder(token: 0)
        waiter.set = WaitingSet(
            standing: .reserved, count: 3, next: try ObjectName("db/b"))
        let name = try ObjectName("db/a")
        let report = ObjectReport(kind: .lock, name: name, holders: [], waiters: [waiter])
        let edge = WhyReport.Edge(
            waiter: SessionID(9), kind: .lock, name: name, holder: SessionID(5), isReserved: true)
        let explanation = Explanation(
            WhyReport(objects: [report], chain: [edge], version: Version(1)))
        let text = explanation.text("db/a")
        #expect(
            text.contains("waiting for 3 locks as one, this one kept for it, now for lock db/b"))
        #expect(
            text.hasSuffix("session 9 waits for lock db/a, which is kept for session 5"))
        #expect(
            ObjectStatus(report).json.description.contains(
                #""set":{"count":3,"standing":"reserved","waitsFor":"db/b"}"#))
    }

    @Test func `of a lock whose holder was lost says that it is closed`() throws {
        var report = ObjectReport(
            kind: .lock, name: try ObjectName("disk"), holders: [], waiters: [])
        report.closedFor = .seconds(15)
        let explanation = Explanation(
            WhyReport(objects: [report], chain: [], version: Version(1)))
        #expect(
            explanation.text("disk") == "lock disk, closed for 15 s since a holder was lost")
        #expect([ObjectStatus(report)].table.contains("nobody: closed for 15 s"))
        // One of several was lost.
        report.holders = [holder(token: 77)]
        report.holderCount = 1
        #expect(!([ObjectStatus(report)].table.contains("nobody")))
        #expect(
            ObjectStatus(report).json.description.contains(#""closedForMilliseconds":15000"#))
    }

    @Test func `of a shared lock says who waits to have it alone`() throws {
        var shared = holder(token: 77)
        shared.mode = .shared
        shared.isUpgrading = true
        let report = ObjectReport(
            kind: .lock, name: try ObjectName("table"), holders: [shared], waiters: [])
        let explanation = Explanation(
            WhyReport(objects: [report], chain: [], version: Version(1)))
        #expect(explanation.text("table").contains("token 77, waiting to have it alone, held"))
        #expect(ObjectStatus(report).json.description.contains(#""isUpgrading":true"#))
    }

    private static let timing = TimingReport(
        heartbeat: .milliseconds(100), suspicion: .seconds(1), stall: .seconds(5),
        minimumTTL: .seconds(3), maximumTTL: .seconds(60))

    @Test func `of the timing says how long a lost holder is in the way`() {
        let timing = GroupTiming(Self.timing)
        #expect(
            timing.text(ttl: nil) == """
                heartbeat 100 ms, suspicion 1 s, stall 5 s, ttl 5 s (3 s to 60 s)

                LOSS     NOTICED WITHIN  NEXT HOLDER WITHIN
                process  at once         at once
                daemon   at once         6.05 s
                host     1 s             7.05 s
                stall    5 s             11.05 s

                after a loss of state nothing is granted for 60.6 s
                """)
        #expect(timing.worst(ttl: .seconds(10)) == .milliseconds(16_100))
        let json = timing.json(ttl: .seconds(10)).description
        #expect(json.contains(#""loss":"host","noticedMilliseconds":1000,"#))
        #expect(json.contains(#""worstMilliseconds":16100"#))
        #expect(throws: ExitStatus(ExitStatus.usage)) { try timing.check(ttl: .seconds(2)) }
    }

    @Test func `of a status has the documented fields`() {
        let member = MemberReport(
            node: NodeID(1), address: "10.0.0.1:7400", state: .member, rank: 0, incarnation: 9)
        let status = GroupStatus(
            StatusReport(
                node: NodeID(1), lineage: .none, epoch: Epoch(3), rank: 0,
                serving: ServingState(isServing: false, reason: "1 of 3 members"), isDurable: true,
                members: [member], version: Version(12), age: .milliseconds(1_250), sessions: 2,
                objects: 1, timing: Self.timing,
                disturbances: [
                    ConclaveWire.Disturbance(.cut(NodeID(3)), for: .seconds(9)),
                    ConclaveWire.Disturbance(.slowDisk(by: .milliseconds(200)), for: .seconds(4)),
                ]))
        #expect(
            status.json.description
                == #"{"node":1,"epoch":3,"rank":0,"serving":false,"reason":"1 of 3 members","#
                + #""durability":"disk","members":[{"id":1,"address":"10.0.0.1:7400","#
                + #""state":"member","rank":0}],"version":12,"ageMilliseconds":1250,"#
                + #""sessions":2,"objects":1,"disturbances":["#
                + #"{"disturbance":"cut","member":3,"milliseconds":9000},"#
                + #"{"disturbance":"slowDisk","syncMilliseconds":200,"milliseconds":4000}]}"#)
        #expect(status.text.contains("nothing goes to member 3 or comes from it, for 9.0 s more"))
        #expect(status.text.contains("is not serving: 1 of 3 members"))
        #expect(status.text.contains("its own copy is at most 1.2 s behind"))
    }

    @Test func `of a view says who went and why`() {
        let view = ViewChange(
            ViewReport(
                epoch: Epoch(3), at: .zero, members: [NodeID(1), NodeID(3)], joined: [],
                departed: [
                    ViewReport.Departed(
                        node: NodeID(2), reason: .silent, by: NodeID(1),
                        silent: .milliseconds(1_020))
                ]))
        #expect(
            view.json.description
                == #"{"epoch":3,"at":"1970-01-01T00:00:00.000Z","members":[1,3],"joined":[],"#
                + #""departed":[{"id":2,"reason":"silent","by":1,"silentMilliseconds":1020}],"#
                + #""stateWasLost":false,"historyWasGivenUp":false}"#)
        #expect(!view.text.contains("lost"))
    }

    @Test func `of a view says what was lost with it`() {
        let view = { (stateWasLost: Bool, historyWasGivenUp: Bool) in
            ViewChange(
                ViewReport(
                    epoch: Epoch(3), at: .zero, members: [NodeID(1)], joined: [], departed: [],
                    stateWasLost: stateWasLost, historyWasGivenUp: historyWasGivenUp))
        }
        #expect(view(true, false).text.hasSuffix("members 1; the state was lost: it begins empty"))
        #expect(
            view(false, true).text.hasSuffix(
                "; by 'conclave recover': what only the others had is lost, all sessions ended"))
        #expect(view(true, true).text.contains("'conclave recover'"))
        #expect(view(true, true).json.description.contains(#""stateWasLost":true"#))
        #expect(view(false, true).json.description.contains(#""historyWasGivenUp":true"#))
    }

    @Test func `of a broken barrier names who is missing`() throws {
        let broken = BarrierReport(
            BarrierBreak(
                name: try ObjectName("b"), generation: 1, reason: .timedOut,
                message: "rank 0 gave up",
                missing: [
                    BarrierAbsence(rank: 2), BarrierAbsence(rank: 3, host: NodeID(2), pid: 7),
                ], arrivedCount: 2, parties: 4))
        #expect(broken.text == "rank 0 gave up; missing: rank 2, rank 3 (node 2, pid 7)")
    }

    @Test func `of a barrier that waits says who is missing, and since when others wait`() throws {
        let name = try ObjectName("step")
        var report = ObjectReport(
            kind: .barrier, name: name, holders: [], waiters: [holder(token: 0)], parties: 70,
            generation: 9)
        report.missing = [
            BarrierAbsence(
                rank: 1, host: NodeID(2), pid: 7, lastSeen: Timestamp(microseconds: 0),
                hasEnded: true),
            BarrierAbsence(rank: 2),
        ]
        let explanation = Explanation(
            WhyReport(objects: [report], chain: [], version: Version(1)))
        let lines = explanation.text("step").split(separator: "\n")
        #expect(
            lines[0] == "barrier step, generation 9: 1 of 70 arrived, the first at "
                + "1970-01-01T00:00:00.000Z")
        #expect(lines[1].hasPrefix("  arrived session 5 (node 1, pid 4711"))
        #expect(
            lines[2] == "  missing: rank 1 (node 2, pid 7, has ended, last seen "
                + "1970-01-01T00:00:00.000Z)")
        #expect(lines[3] == "  missing: rank 2")
        #expect(lines[4] == "  and 67 more are missing")
        #expect(
            ObjectStatus(report).json.description.hasSuffix(
                #""missing":[{"rank":1,"host":2,"pid":7,"lastSeen":"1970-01-01T00:00:00.000Z","#
                    + #""ended":true},{"rank":2,"host":null,"pid":null,"lastSeen":null,"#
                    + #""ended":false}],"remaining":null,"group":null}"#))
    }

    @Test func `of a slot with several places shows all its leaders`() throws {
        func leader(_ place: UInt32) -> LeaderState.Leader {
            LeaderState.Leader(
                session: SessionID(5), host: NodeID(1), pid: 40 + place, label: "", place: place,
                token: FencingToken(70 + UInt64(place)), value: [], since: .zero)
        }
        let change = LeaderChange(
            LeaderState(
                slot: try ObjectName("s"), places: 3, leaders: [leader(0), leader(2)],
                standbyCount: 1, version: Version(80)))
        #expect(
            change.text == "s is led by 2 of 3, 1 standby; place 0: node 1, pid 40 since "
                + "1970-01-01T00:00:00.000Z, term 70; place 2: node 1, pid 42 since "
                + "1970-01-01T00:00:00.000Z, term 72")
        let second =
            #"{"session":5,"host":1,"pid":42,"label":"","place":2,"token":72,"value":"","#
            + #""since":"1970-01-01T00:00:00.000Z"}]"#
        #expect(change.json.description.contains(second))
        #expect(change.json.description.hasPrefix(#"{"slot":"s","leader":{"session":5,"#))
    }

    @Test func `of an error code is one word in JSON`() {
        #expect(ConclaveError.Code.timedOut.camelCase == "timedOut")
        #expect(ConclaveError.Code.busy.camelCase == "busy")
    }
}

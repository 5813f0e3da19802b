import ConclaveNode
import Testing

@Suite struct `What the kernel says of a process` {
    @Test func `the start time is found behind a name with spaces and parentheses`() {
        let stat = "4711 (a) b (c)) S 1 4711 4711 0 -1 4194560 1 0 0 0 0 1 0 0 20 0 1 0 987654 1 2"
        #expect(ProcessText.startTime(stat: stat) == 987_654)
        #expect(ProcessText.startTime(stat: "4711 (cut off) S 1 2 3") == nil)
        #expect(ProcessText.startTime(stat: "") == nil)
    }

    @Test(arguments: [
        ("0::/system.slice/backup.service\n", "backup.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope/leaf\n", "x.scope"),
        ("0::/\n", ""), ("", ""), ("0::/docker/0123\n", "/docker/0123"),
        ("4:cpu:/other\n1:name=systemd:/system.slice/old.service\n", "old.service"),
    ])
    func `the unit is the innermost service or scope`(cgroup: String, unit: String) {
        #expect(ProcessText.unit(cgroup: cgroup) == unit)
    }

    @Test func `a process may be signalled by its real and its saved user, and by root`() {
        let status = "Name:\tUid: x\nState:\tS\nUid:\t1000\t0\t1001\t0\nGid:\t1\t1\t1\t1\n"
        let users = ProcessText.users(status: status)
        #expect(users == ProcessText.Users(real: 1_000, saved: 1_001))
        #expect(
            [0, 1_000, 1_001, 7].map { users?.mayBeSignalled(by: $0) } == [true, true, true, false])
        #expect(ProcessText.users(status: "Name:\tx\nUid:\t1000\n") == nil)
    }

    @Test func `a boot is named by the first half of its identifier`() {
        #expect(
            ProcessText.bootID("01234567-89ab-cdef-0000-111122223333\n") == 0x0123_4567_89AB_CDEF)
        #expect(ProcessText.bootID("unknown") == nil)
    }
}

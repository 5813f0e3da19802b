import Foundation
import TestSupport
import Testing

/// What people see of a leader slot.
@Suite(.serialized) struct `Leaders` {
    @Test func `who follows a leader is told when nobody would tell of another one`() throws {
        let group = try Group.serving(of: 3)
        let leader = try group.begin("elect", ["s", "--", "sleep", "600"], at: 2)
        let follower = try group.begin("leader", ["s", "--follow"], at: 1)
        try wait(for: "the leader: \(leader.errors) \(follower.errors)") {
            follower.output.contains("leads s since")
        }
        group.kill(2)
        group.kill(3)
        try wait(for: "the doubt: \(follower.output)") { follower.output.contains("doubtful, ") }
        try group.start(3)
        try wait(for: "the vacancy: \(follower.output)", seconds: 60) {
            follower.output.contains("\nnobody leads s")
        }
        follower.kill()
        leader.kill()
    }
}

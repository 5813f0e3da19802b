import TestSupport
import Testing

/// The member list of real daemons.
@Suite(.serialized) struct `Members` {
    @Test func `a machine is replaced while the group serves`() throws {
        let group = try Group.serving(spare: 1)
        let holder = try group.hold("kept", at: 2)
        // The new machine is refused by name until it is on the list.
        try group.start(4)
        try wait(for: "4 to be refused; its log: \(group.log(4))", seconds: 20) {
            group.log(4).contains("node 4 is no member of this group")
        }
        let added = try group.run(
            "member", ["add", "4", group.address(4), "--json"], at: 1, seconds: 60)
        #expect(added.status == 0, "\(added.errors)")
        #expect(added.output.contains("\"id\":4"))
        try group.waitUntilServing([1, 2, 3, 4], members: 4)
        let removed = try group.run("member", ["remove", "1"], at: 3, seconds: 60)
        #expect(removed.status == 0, "\(removed.errors)")
        #expect(removed.output.contains("member 1 is off the list since view"))
        #expect(try group.daemon(1).end().status == 0)
        try group.waitUntilServing([2, 3, 4], members: 3)
        let members = try group.run("members", ["--json"], at: 4).output
        #expect(members.contains(group.address(4)))
        #expect(!members.contains(group.address(1)))
        for node in 2...4 {
            #expect(group.log(node).contains("the members were changed"), "\(group.log(node))")
            #expect(group.log(node).contains("remove 1"))
        }
        #expect(group.log(2).contains("by=\"uid"), "\(group.log(2))")
        #expect(try group.run("lock", ["kept", "--try", "--", "true"], at: 4).status == 1)
        group.endHolding("kept")
        #expect(try holder.end().status == 0)
    }

    @Test func `what cannot be is refused, and a restart keeps the list`() throws {
        let group = try Group.serving(of: 2, spare: 1)
        let tooFew = try group.run("member", ["remove", "9"], at: 1, seconds: 60)
        #expect(tooFew.status == 1)
        #expect(tooFew.errors.contains("there is no member 9 in the list"))
        #expect(try group.run("member", ["add", "3", "nowhere"], at: 1).status == 64)
        #expect(try group.run("member", ["add", "zero", "127.0.0.1:1"], at: 1).status == 64)
        #expect(try group.run("member", ["add", "3", group.address(3)], at: 2).status == 0)
        // Asking again does no harm.
        #expect(try group.run("member", ["add", "3", group.address(3)], at: 1).status == 0)
        let moved = try group.run("member", ["add", "3", "127.0.0.1:9"], at: 1)
        #expect(moved.status == 1)
        #expect(moved.errors.contains("with another address"))
        for node in 1...2 { group.kill(node) }
        for node in 1...2 { try group.start(node) }
        try group.start(3)
        try group.waitUntilServing([1, 2, 3], members: 3)
        #expect(group.log(1).contains("the group has other members than the configuration"))
    }
}

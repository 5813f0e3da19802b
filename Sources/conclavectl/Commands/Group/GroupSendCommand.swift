import ArgumentParser
import Conclave

struct GroupSendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message to every member of a task group.",
        discussion: """
            Ends when the message is ordered: from then on every member of that view is told it, in \
            the same place among all views and messages. The sender is no member, and the message \
            says so.

              conclave group send workers "reload"

            Exit codes: 0 it is ordered; 1 nobody belongs to the group, or no answer in time; 64 \
            wrong usage, or too large (with its request it must fit a slot of the group, 8 KiB by \
            default); 69 no daemon, or outside the majority; 75 nobody knows whether it was sent; \
            77 not permitted.
            """)

    @Argument(help: "The group.")
    var name: NameArgument

    @Argument(help: "What to say.")
    var text: String

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, text, wait, json) = (name.text, text, wait?.duration, common.json)
        try ask(common, see: "group members \(name)") { conclave in
            let receipt = try await conclave.send(
                Array(text.utf8), toGroup: name, wait: wait)
            Output.standard(json ? receipt.json.description : receipt.text)
            await conclave.close()
        }
    }
}

struct GroupEvictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evict",
        abstract: "Put a member out of a task group.",
        discussion: """
            Its place is gone at once; what the member does about it is its own affair. Root may, and \
            the user whose process the member is. 'conclave group members' shows what names a \
            member.

              conclave group evict workers 281474976710662

            Exit codes: 0 it is out; 1 there is no such member; 64 wrong usage; 69 no daemon, or \
            outside the majority; 75 nobody knows whether it is out; 77 not permitted.
            """)

    @Argument(help: "The group.")
    var name: NameArgument

    @Argument(help: "What names the member.")
    var member: UInt64

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (name, member, json) = (name.text, FencingToken(member), common.json)
        try ask(common, see: "group members \(name)") { conclave in
            try await conclave.evict(member, from: name, wait: .seconds(40))
            let report = JSON.object([
                "group": .string(name), "member": .unsigned(member.number), "evicted": .bool(true),
            ])
            Output.standard(
                json ? report.description : "member \(member) of \(name.shown) is put out")
            await conclave.close()
        }
    }
}

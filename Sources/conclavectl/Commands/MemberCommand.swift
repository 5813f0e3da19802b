import ArgumentParser
import Conclave

/// What both have in common of their help.
private let exitCodes = """
    Exit codes: 0, it is so; 1 refused; 64 wrong usage; 69 no daemon, or it is outside the \
    majority; 75 nobody knows yet, ask again; 77 not permitted.
    """

struct MemberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Add a machine to the group, or remove one.",
        discussion: """
            Only root and the user that conclaved runs as may do this. The members agree on it like \
            on everything else; one change at a time. A machine is replaced by adding the new one \
            and removing the old one. 'conclave members' shows the list.

              conclave member add 4 10.0.0.4:7400
              conclave member remove 2


            """ + exitCodes,
        subcommands: [MemberAddCommand.self, MemberRemoveCommand.self])
}

struct MemberAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Put a machine on the member list. Its daemon may be started then.",
        discussion: """
            The new machine's configuration names all members, itself included; those of the others \
            need not be changed at once.


            """ + exitCodes)

    @Argument(help: "The new member's id, its `node`.", transform: memberID)
    var id: NodeID

    @Argument(help: "Where it listens for members: a numeric address with a port.")
    var address: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (id, address, json) = (id, address, common.json)
        try ask(common, see: "members") { conclave in
            let epoch = try await conclave.addMember(id, address: address)
            tell("member \(id) is on the list", id, epoch, json: json)
        }
    }
}

struct MemberRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take a machine off the member list. Its daemon ends, and is let in no more.",
        discussion: """
            Refused if those who are present would be too few for the list that is left.


            """ + exitCodes)

    @Argument(help: "The member's id.", transform: memberID)
    var id: NodeID

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (id, json) = (id, common.json)
        try ask(common, see: "members") { conclave in
            let epoch = try await conclave.removeMember(id)
            tell("member \(id) is off the list", id, epoch, json: json)
        }
    }
}

func memberID(_ text: String) throws -> NodeID {
    guard let number = UInt32(text), number > 0 else {
        throw ValidationError("'\(text)' is not an id: a number from 1 on.")
    }
    return NodeID(number)
}

private func tell(_ sentence: String, _ id: NodeID, _ epoch: Epoch, json: Bool) {
    if json {
        let object = JSON.object([
            "id": .unsigned(UInt64(id.number)), "epoch": .unsigned(epoch.number),
        ])
        Output.standard(object.description)
    } else {
        Output.standard("\(sentence) since view \(epoch)")
    }
}

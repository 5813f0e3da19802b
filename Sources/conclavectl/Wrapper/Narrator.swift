import Conclave

/// Tells on the standard error how it goes: with JSON one object a state, else only what is wrong.
struct Narrator {
    var json: Bool
    /// `name`, `slot`, `group` or `barrier`: what the name is called in JSON.
    var noun: String
    var name: String
    /// Several locks, which `name` has one a line; else empty.
    var names: [String] = []

    func waiting() {
        state("waiting", [])
    }

    /// It goes on waiting, since the daemon does not serve.
    func waiting(since reason: String) {
        if json {
            state("waiting", [JSON.Member(name: "reason", value: .string(reason))])
        } else {
            Output.error(reason)
        }
    }

    func granted(_ grant: Holder.Grant) {
        var members = [JSON.Member(name: "token", value: .unsigned(grant.token.number))]
        if let place = grant.place {
            members.append(JSON.Member(name: "place", value: .unsigned(UInt64(place))))
        }
        members.append(
            JSON.Member(name: "previousEnd", value: .string(grant.previousEnd.description)))
        state("granted", members)
    }

    /// The waiting was given up.
    func cancelled() {
        state("cancelled", [])
    }

    func released() {
        state("released", [])
    }

    /// `end`: what becomes of the command.
    func lost(_ reason: String, _ end: String) {
        if json {
            state("lost", [JSON.Member(name: "reason", value: .string(reason))])
        } else {
            Output.error("lost \(shown): \(reason.shown); the command \(end)")
        }
    }

    func asked(_ notice: Notice) {
        if json {
            state(
                "asked",
                [
                    JSON.Member(
                        name: "withinMilliseconds", value: .integer(notice.within.milliseconds))
                ])
        } else {
            Output.error(
                "an administrator asks for \(shown) within \(notice.within.text); the command is "
                    + "stopped")
        }
    }

    func failed(_ error: ConclaveError) {
        Failure.tell(error, json: json, see: names.isEmpty ? "why \(name)" : nil)
    }

    func cannotStart(_ program: String, _ why: String) {
        Failure.tell("\(program.shown): \(why)", code: "cannotStart", json: json)
    }

    private var shown: String {
        names.isEmpty ? name.shown : names.map(\.shown).joined(separator: ", ")
    }

    private func state(_ state: String, _ more: [JSON.Member]) {
        guard json else { return }
        let members = [
            JSON.Member(name: "state", value: .string(state)),
            names.isEmpty
                ? JSON.Member(name: noun, value: .string(name))
                : JSON.Member(name: noun + "s", value: .array(names.map(JSON.string))),
        ]
        Output.standardError(JSON.object(members + more).description)
    }
}

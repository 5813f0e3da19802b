/// One task's place among those that meet at a barrier: what is given, and for the rest what the
/// launcher of the program says in the environment.
///
/// Several launchers may have left variables: a task that one of them started may have started the
/// other. Nothing tells which was the last, so all that say something must say the same, unless one
/// of them is named. Else a task could pass a barrier as the only party of another program.
struct LauncherPlace: Equatable {
    /// What is not given is taken from the environment.
    struct Given {
        var name: String?
        var parties: Int?
        var rank: Int?
        /// The only one whose variables count; `nil`: all do.
        var launcher: Launcher?
    }

    struct Fault: Error, Equatable {
        var message: String
    }

    let name: String
    let parties: Int
    let rank: Int

    init(_ given: Given, variable: @escaping (String) -> String?) throws(Fault) {
        let reading = Reading(given.launcher.map { [$0] } ?? Launcher.allCases, variable)
        let isAllGiven = given.name != nil && given.parties != nil && given.rank != nil
        guard isAllGiven || !reading.launchers.isEmpty else { throw reading.missingLauncher }
        if let parties = given.parties {
            self.parties = parties
        } else {
            parties = try reading.agreed("--parties") { $0.partyVariables }
        }
        guard (1...BarrierCommand.maximumParties).contains(parties) else {
            throw Fault(
                message: "\(parties) parties: a barrier has 1 to \(BarrierCommand.maximumParties)")
        }
        if let rank = given.rank {
            self.rank = rank
        } else {
            rank = try reading.agreed("--rank") { $0.rankVariables }
        }
        guard rank < parties else {
            throw Fault(
                message: "rank \(rank) is not one of \(parties) parties, 0 to \(parties - 1)")
        }
        if let name = given.name { self.name = name } else { name = try reading.name() }
    }

    private struct Reading {
        /// Those that started this task.
        let launchers: [Launcher]
        let asked: [Launcher]
        let variable: (String) -> String?

        init(_ asked: [Launcher], _ variable: @escaping (String) -> String?) {
            self.asked = asked
            let known: (String) -> String? = { name in
                variable(name).flatMap { $0.isEmpty ? nil : $0 }
            }
            self.variable = known
            launchers = asked.filter { launcher in
                guard launcher != .slurm else { return Self.isStepOfTasks(known) }
                return launcher.rankVariables.contains { known($0) != nil }
            }
        }

        /// A batch script sees the number of its job's tasks as well, but is none of them. The
        /// numbers of the steps that it and the like run in begin here.
        private static let firstReservedStep: UInt64 = 0xFFFF_FFF0

        private static func isStepOfTasks(_ variable: (String) -> String?) -> Bool {
            guard let step = variable("SLURM_STEP_ID") else { return false }
            return UInt64(digits: step).map { $0 < firstReservedStep } ?? true
        }

        var missingLauncher: Fault {
            let isOfSlurm = ["SLURM_JOB_ID", "SLURM_PROCID"].contains { variable($0) != nil }
            if asked.contains(.slurm), isOfSlurm {
                return Fault(
                    message:
                        "this is no task that srun has started, though variables of Slurm are set: "
                        + (variable("SLURM_STEP_ID").map { "SLURM_STEP_ID is \($0.shown)" }
                            ?? "SLURM_STEP_ID is not set"))
            }
            let names = asked.flatMap(\.rankVariables).joined(separator: ", ")
            return Fault(message: "no launcher has started this task: none of \(names) is set")
        }

        /// The number that all the variables say that are set.
        func agreed(
            _ option: String, _ variables: (Launcher) -> [String]
        ) throws(Fault) -> Int {
            var first: (name: String, number: Int)?
            for launcher in launchers {
                for name in variables(launcher) {
                    guard let text = variable(name) else { continue }
                    guard let number = UInt64(digits: text).flatMap({ Int(exactly: $0) }) else {
                        throw Fault(message: "\(name) is no number: \(text.shown)")
                    }
                    if let first, first.number != number {
                        throw Fault(
                            message: "\(first.name) is \(first.number) and \(name) is \(number): "
                                + "give \(option), or say by --launcher which of \(choices) counts")
                    }
                    first = first ?? (name, number)
                }
            }
            if let first { return first.number }
            let names = launchers.flatMap(variables)
            let cause =
                names.isEmpty
                ? "\(choices) says in no variable how many tasks there are"
                : "\(names.joined(separator: " and ")) \(names.count > 1 ? "are" : "is") not set"
            throw Fault(message: "\(cause): give \(option)")
        }

        private var choices: String { launchers.map(\.rawValue).joined(separator: ", ") }

        func name() throws(Fault) -> String {
            for launcher in launchers {
                guard let name = try name(of: launcher) else { continue }
                guard let checked = NameArgument(argument: name) else {
                    throw Fault(message: "\(name.shown) can be no barrier's name: give one")
                }
                return checked.text
            }
            let names = launchers.flatMap(\.nameVariables).joined(separator: ", ")
            throw Fault(message: "\(names) not set: give the barrier's name")
        }

        private func name(of launcher: Launcher) throws(Fault) -> String? {
            guard launcher == .slurm else {
                return launcher.nameVariables.first.flatMap(variable).map {
                    "\(launcher.rawValue)/\($0)"
                }
            }
            guard let job = try number("SLURM_JOB_ID"), let step = try number("SLURM_STEP_ID")
            else { return nil }
            let cluster = variable("SLURM_CLUSTER_NAME").map { "\($0)/" } ?? ""
            // A job that is put back into the queue begins to count its steps anew.
            let restart = try number("SLURM_RESTART_COUNT").map { ".restart-\($0)" } ?? ""
            return "slurm/\(cluster)\(job).\(step)\(restart)"
        }

        private func number(_ name: String) throws(Fault) -> UInt64? {
            guard let text = variable(name) else { return nil }
            guard let number = UInt64(digits: text) else {
                throw Fault(message: "\(name) is no number: \(text.shown)")
            }
            return number
        }
    }
}

extension UInt64 {
    /// Digits, and nothing else.
    fileprivate init?(digits text: String) {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        self.init(text)
    }
}

import ArgumentParser
import Conclave
import Glibc

struct BarrierCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "barrier",
        abstract: "Wait until all parties have arrived.",
        discussion: """
            Prints the generation, this party's rank, and every party's payload once the last one \
            has arrived. If a party dies, gives up or times out, all get the same answer: that the \
            generation broke, why, and who is missing.

              conclave barrier step-7 --parties 64 --timeout 5m
              conclave barrier step-7 --parties 2 --rank 0 --payload "$(hostname)" --json
              srun --ntasks 64 conclave barrier --from-environment --timeout 5m
              conclave group join w -- sh -c 'conclave barrier step-7 --group w && ./step-8'

            With --group the parties are the members of that task group when it is decided: who \
            joins must come, too, and who leaves or dies is not waited for.

            With --double all enter together, run the command after '--', and leave together when \
            theirs have ended; who dies inside is not waited for. --timeout bounds each of both.

              conclave barrier phase --parties 3 --double -- ./compute

            With --from-environment the task's launcher says what is not given. The count and the \
            rank: SLURM_STEP_NUM_TASKS, SLURM_NTASKS and SLURM_PROCID; OMPI_COMM_WORLD_SIZE and \
            OMPI_COMM_WORLD_RANK; PMI_SIZE and PMI_RANK or PMI_ID; PMIX_RANK. The name: \
            SLURM_JOB_ID, SLURM_STEP_ID, SLURM_CLUSTER_NAME and SLURM_RESTART_COUNT, so that a job \
            that is put back into the queue meets nobody of its former run; PMIX_NAMESPACE; \
            PMI_JOBID. If variables contradict each other, as where mpirun runs in a step of \
            Slurm's, nobody arrives: say by --launcher whose count.

            Exit codes: 0 all arrived; 1 broken or timed out; 64 wrong usage; 69 no daemon, or \
            outside the majority; 75 the daemon went away while waiting, try again; 76 no member of \
            the group, or not any more; 77 not permitted; 130 interrupted (this breaks the \
            generation). With --double the command's own, or 128 + n if signal n killed it; 76 the \
            session was lost inside; 126 not executable; 127 not found.
            """)

    static let maximumParties = 10_000

    @Argument(help: "The barrier: up to 255 bytes, '/' separates levels.")
    var name: NameArgument?

    @Option(help: ArgumentHelp("How many must arrive.", valueName: "count"))
    var parties: Int?

    @Option(
        help: ArgumentHelp(
            "All members of this task group must arrive, however many there are.",
            valueName: "group"))
    var group: NameArgument?

    @Option(
        help: ArgumentHelp(
            "For which member of the group this is; by default $CONCLAVE_MEMBER.",
            valueName: "token"))
    var member: TokenArgument?

    @Flag(help: "Enter together, run a command, and leave together.")
    var double = false

    @Option(help: ArgumentHelp("This party's number; by default in order of arrival."))
    var rank: Int?

    @Option(help: ArgumentHelp("What the others get; at most 4 KiB.", valueName: "text"))
    var payload = ""

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Take the name, the count and the rank from the launcher's variables.")
    var fromEnvironment = false

    @Option(
        help: ArgumentHelp(
            "The only launcher whose variables count: openmpi, slurm, pmi or pmix.",
            valueName: "launcher"))
    var launcher: Launcher?

    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "With --double: what to run, after '--'.")
    var command: [String] = []

    func validate() throws {
        if !fromEnvironment {
            if name == nil { throw ValidationError("the barrier's name is not given") }
            if parties == nil, group == nil {
                throw ValidationError(
                    double
                        ? "--double needs --parties" : "neither --parties nor --group is given")
            }
            if launcher != nil { throw ValidationError("--launcher needs --from-environment") }
        }
        if let parties, !(1...Self.maximumParties).contains(parties) {
            throw ValidationError("--parties must be 1 to \(Self.maximumParties)")
        }
        if let rank, !(0..<(parties ?? Self.maximumParties)).contains(rank) {
            throw ValidationError("--rank must be 0 to \((parties ?? Self.maximumParties) - 1)")
        }
        if group != nil, parties != nil || rank != nil || fromEnvironment {
            throw ValidationError("--group goes without --parties, --rank and --from-environment")
        }
        if member != nil, group == nil { throw ValidationError("--member needs --group") }
        if double != !command.isEmpty {
            throw ValidationError("--double needs a command after '--', and only that does")
        }
        if double, group != nil || rank != nil || fromEnvironment || !payload.isEmpty {
            throw ValidationError(
                "--double goes without --group, --rank, --payload and --from-environment")
        }
        if double, let parties, parties > DoubleBarrier.maximumParties {
            throw ValidationError("--parties must be 1 to \(DoubleBarrier.maximumParties)")
        }
        if timeout?.duration == .zero { throw ValidationError("--timeout must be positive") }
        if payload.utf8.count > 4_096 { throw ValidationError("--payload has more than 4 KiB") }
    }

    func run() throws {
        if double { throw try runInside() }
        let place = try place()
        let command = self
        try waitInterruptibly(common) { await command.arrive(at: place) }
    }

    private func runInside() throws -> ExitStatus {
        let signals = WrapperSignals()
        guard let name, let parties, let program = command.first else {
            throw ValidationError("--double needs a name and --parties")
        }
        try checkProgram(program)
        let request = HoldRequest(
            kind: .doubleBarrier(parties: parties), name: name.text, priority: 0,
            wait: timeout?.duration, ttl: nil, onLoss: .signal, socket: common.socket,
            label: label(of: command), taskPath: try SurroundingTask.find())
        let narrator = Narrator(json: common.json, noun: "barrier", name: name.text)
        var wrapper = Wrapper(request, CommandWords(last: command.count), narrator, signals)
        return wrapper.run()
    }

    private struct Place {
        var name: String
        /// `nil`: members of the group.
        var parties: Int?
        /// `nil`: by order of arrival.
        var rank: Int?
    }

    private func place() throws -> Place {
        if !fromEnvironment, let name {
            return Place(name: name.text, parties: parties, rank: rank)
        }
        let given = LauncherPlace.Given(
            name: name?.text, parties: parties, rank: rank, launcher: launcher)
        do throws(LauncherPlace.Fault) {
            let place = try LauncherPlace(given) { name in
                unsafe getenv(name).map { unsafe String(cString: $0) }
            }
            return Place(name: place.name, parties: place.parties, rank: place.rank)
        } catch {
            throw ValidationError("--from-environment: \(error.message)")
        }
    }

    private func arrive(at place: Place) async -> ExitStatus {
        await exitStatus(telling: common.json) {
            let conclave = try await common.connect()
            let generation: BarrierGeneration
            do {
                generation = try await barrier(of: conclave, at: place).arriveAndWait()
            } catch let error as ConclaveError {
                throw member == nil && group != nil ? Self.namingVariable(error) : error
            }
            Output.standard(common.json ? generation.json.description : generation.text)
            await conclave.close()
        }
    }

    /// Of one group within another the variable names the inner one's member.
    static func namingVariable(_ error: ConclaveError) -> ConclaveError {
        guard error.code == .notHeld else { return error }
        return ConclaveError(
            .notHeld,
            error.message + "; $\(memberVariable) names that member, as the innermost "
                + "'conclave group join' has set it: --member names another")
    }

    private func barrier(of conclave: Conclave, at place: Place) throws -> Barrier {
        if let parties = place.parties {
            return conclave.barrier(
                place.name, parties: parties, rank: place.rank, payload: payload,
                timeout: timeout?.duration)
        }
        let inherited = unsafe getenv(Self.memberVariable).map { unsafe String(cString: $0) }
        guard let group, let member = member ?? inherited.flatMap(TokenArgument.init(argument:))
        else {
            throw ConclaveError(
                .invalid,
                "--group needs --member, or $\(Self.memberVariable) as 'conclave group join' sets it"
            )
        }
        return conclave.barrier(
            place.name, group: group.text, member: member.token, payload: Array(payload.utf8),
            timeout: timeout?.duration)
    }

    /// Names the membership within which a command runs.
    static let memberVariable = "CONCLAVE_MEMBER"
}

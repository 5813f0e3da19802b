import ArgumentParser
import Conclave

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

            Exit codes: 0 all arrived; 1 broken or timed out; 64 wrong usage; 69 no daemon, or \
            outside the majority; 75 the daemon went away while waiting, try again; 77 not \
            permitted; 130 interrupted (this breaks the generation).
            """)

    @Argument(help: "The barrier: up to 255 bytes, '/' separates levels.")
    var name: NameArgument

    @Option(help: ArgumentHelp("How many must arrive.", valueName: "count"))
    var parties: Int

    @Option(help: ArgumentHelp("This party's number; by default in order of arrival."))
    var rank: Int?

    @Option(help: ArgumentHelp("What the others get; at most 4 KiB.", valueName: "text"))
    var payload = ""

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...100_000).contains(parties) else {
            throw ValidationError("--parties must be 1 to 100000")
        }
        if let rank, !(0..<parties).contains(rank) {
            throw ValidationError("--rank must be 0 to \(parties - 1)")
        }
        if timeout?.duration == .zero { throw ValidationError("--timeout must be positive") }
        if payload.utf8.count > 4_096 { throw ValidationError("--payload has more than 4 KiB") }
    }

    func run() throws {
        let signals = WrapperSignals()
        let inbox = Inbox<ExitStatus>()
        let command = self
        let task = Task { inbox.send(await command.arrive()) }
        while true {
            waitUntilReadable([signals.descriptor, inbox.descriptor])
            if let status = inbox.take().first { throw status }
            guard !WrapperSignals.forwarded.isDisjoint(with: signals.take()) else { continue }
            // The arrival is cancelled in order, but not waited for any longer than that takes.
            task.cancel()
            waitUntilReadable([signals.descriptor, inbox.descriptor], milliseconds: 2_000)
            let status = inbox.take().first
            throw status?.code == 0 ? ExitStatus(0) : ExitStatus(ExitStatus.interrupted)
        }
    }

    private func arrive() async -> ExitStatus {
        do {
            let conclave = try await common.connect()
            let generation = try await conclave.barrier(
                name.text, parties: parties, rank: rank, payload: payload,
                timeout: timeout?.duration
            ).arriveAndWait()
            Output.standard(common.json ? generation.json.description : generation.text)
            await conclave.close()
            return ExitStatus(ExitStatus.success)
        } catch let error as ConclaveError {
            Failure.tell(error, json: common.json)
            return ExitStatus(for: error)
        } catch {
            return ExitStatus(ExitStatus.interrupted)
        }
    }
}

import ArgumentParser
import Conclave

struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Set a key of the configuration.",
        discussion: """
            Prints the version of the change. The value is the second argument, or, without one, \
            everything on the standard input. --if-version and --if-absent make the change depend \
            on what is there. With its request a value must fit a slot of the group: 8 KiB, less \
            some 100 bytes, unless the daemons are set otherwise (slots.size, up to 64 KiB).

              conclave put db/primary 10.0.0.4
              conclave put db/primary 10.0.0.5 --if-version 281474976710660
              conclave put db/schema < schema.sql
              conclave put workers/"$HOSTNAME" up --ephemeral
              conclave put offset -- -5

            What begins with '-' is an option, unless -- comes before it.

            With --ephemeral the key is there as long as this command runs: it waits until it is \
            interrupted, also if somebody deletes the key or puts it for good meanwhile.

            Exit codes: 0; 1 the key is not as demanded, or too much; 64 wrong usage; 69 no \
            daemon, or outside the majority; 75 nobody knows whether it was set; 76 an ephemeral \
            key is gone with its session; 77 not permitted; 130 interrupted.
            """)

    @Argument(help: "The key: up to 255 bytes, '/' separates levels.")
    var key: NameArgument

    @Argument(help: "Its value; by default the standard input.")
    var value: String?

    @Option(
        help: ArgumentHelp(
            "Only if the key was put last at this version.", valueName: "version"))
    var ifVersion: VersionArgument?

    @Flag(help: "Only if the key is not there.")
    var ifAbsent = false

    @Flag(help: "Delete the key again when this command ends.")
    var ephemeral = false

    @Option(
        help: ArgumentHelp(
            "Wait at most this long (250ms, 30s, 5m); by default for ever.",
            valueName: "duration"))
    var wait: DurationArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if ifVersion != nil, ifAbsent {
            throw ValidationError("--if-version and --if-absent exclude each other")
        }
    }

    func run() throws {
        let bytes = try value.map { Array($0.utf8) } ?? Self.standardInput()
        let change = ConfigurationOperation.put(key.text, bytes, ephemeral: ephemeral)
        let compares = compares(key.text, ifVersion: ifVersion, ifAbsent: ifAbsent)
        let (wait, json, ephemeral, key) = (wait, common.json, ephemeral, key.text)
        try ask(common, see: "get \(key)") { conclave in
            let result = try await conclave.configuration.transaction(
                [change], if: compares, wait: wait?.duration)
            Output.standard(json ? result.json.description : "\(result.version)")
            if ephemeral { try await Self.hold(conclave, key) }
            await conclave.close()
        }
    }

    /// Returns only when the session is lost: the signal that interrupts ends the program.
    private static func hold(_ conclave: Conclave, _ key: String) async throws {
        for await state in conclave.states {
            guard case .lost(let reason) = state else { continue }
            throw ConclaveError(.lost, "key \(key) is gone: \(reason)")
        }
    }

    private static func standardInput() throws -> [UInt8] {
        do {
            return try WholeFile.read("-", maximumByteCount: 64 * 1_024)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// What `--if-version` and `--if-absent` demand.
func compares(
    _ key: String, ifVersion: VersionArgument?, ifAbsent: Bool = false
) -> [ConfigurationCompare] {
    if let ifVersion { return [ConfigurationCompare(key, is: .version(ifVersion.version))] }
    return ifAbsent ? [ConfigurationCompare(key, is: .absent)] : []
}

import ArgumentParser
import Conclave
import PacketSockets

struct ClientOptions: ParsableArguments {
    @Argument(help: "The chain, and the task group that manages it.")
    var chain: String

    @Option(help: "How many seconds a request may take.")
    var patience = 30

    func client() async throws -> ChainClient {
        let conclave = try await Conclave.connect(label: "chain-replication")
        return ChainClient(conclave: conclave, chain: chain, patience: .seconds(patience))
    }
}

struct PutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Sets a key; ends when that is acknowledged.")

    @OptionGroup var options: ClientOptions

    @Argument(help: "Without spaces.")
    var key: String

    @Argument
    var value: String

    func run() async throws {
        var client = try await options.client()
        try await client.put(key, value)
    }

    func validate() throws {
        try check(key: key)
    }
}

struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill",
        abstract: "Sets PREFIX/1 to 1, PREFIX/2 to 2 and so on, until it is killed.",
        discussion: "Prints each key when it is acknowledged.")

    @OptionGroup var options: ClientOptions

    @Argument(help: "Without spaces.")
    var prefix: String

    @Option(help: "How many milliseconds to wait between two of them.")
    var every = 5

    func run() async throws {
        var client = try await options.client()
        for number in 1... {
            try await client.put("\(prefix)/\(number)", "\(number)")
            say("\(prefix)/\(number)")
            try await Task.sleep(for: .milliseconds(every))
        }
    }

    func validate() throws {
        try check(key: prefix)
    }
}

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Prints what keys are set to.",
        discussion: "Ends with status 1 if one of them is absent.")

    @OptionGroup var options: ClientOptions

    @Argument
    var keys: [String]

    func run() async throws {
        var client = try await options.client()
        var areAllThere = true
        for key in keys {
            let value = try await client.get(key)
            say(value.map { "\(key)=\($0)" } ?? "\(key) is absent")
            areAllThere = areAllThere && value != nil
        }
        if !areAllThere { throw ExitCode.failure }
    }

    func validate() throws {
        for key in keys { try check(key: key) }
    }
}

private func check(key: String) throws {
    guard !key.isEmpty, !key.contains(" ") else {
        throw ValidationError("a key has no spaces, and is not empty")
    }
}

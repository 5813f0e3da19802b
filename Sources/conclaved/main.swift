import ArgumentParser
import ConclaveBase
import ConclaveNode
import Glibc
import Logging

/// The command line of the daemon. The main thread becomes the reactor's.
struct Conclaved: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclaved",
        abstract: "One member of a Conclave group: locks, elections and barriers for this machine.",
        discussion: """
            Exit status: 0 orderly stop; 64 usage; 70 broken invariant; 73 data directory in use, \
            writable for others, or of another node, group or format; 74 disk; 78 configuration; \
            98 address or socket in use.
            """,
        version: Release.version)

    @Option(help: ArgumentHelp("Read the configuration from this file.", valueName: "file"))
    var config: String?

    @Flag(help: "Be a group of one, without any configuration.")
    var single = false

    @Option(
        help: ArgumentHelp("With --single: where the data is kept.", valueName: "directory"))
    var data: String?

    @Option(help: ArgumentHelp("With --single: where clients connect.", valueName: "path"))
    var socket: String?

    @Flag(help: "Check the configuration, name every fault, and exit.")
    var check = false

    @Option(
        help: ArgumentHelp(
            "error, warning, notice, info, debug or trace; wins over the file.",
            valueName: "level"),
        transform: level)
    var logLevel: Logger.Level?

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw ValidationError("There is no log level \(text).")
        }
        return level
    }

    func validate() throws {
        guard (config != nil) != single else {
            throw ValidationError("Give either --config FILE or --single.")
        }
        guard single || (data == nil && socket == nil) else {
            throw ValidationError("--data and --socket go with --single.")
        }
        guard !check || config != nil else {
            throw ValidationError("--check goes with --config FILE.")
        }
        if let socket, socket.utf8.count > Settings.maximumSocketPathByteCount {
            throw ValidationError(
                "The socket path \(socket) has \(socket.utf8.count) bytes; at most "
                    + "\(Settings.maximumSocketPathByteCount) are possible.")
        }
    }

    func run() throws {
        let program = Program()
        do throws(StartFault) {
            let configuration = try source()
            program.run(configuration, isCheck: check)
        } catch {
            program.end(error)
        }
    }

    private func source() throws(StartFault) -> Configuration {
        if let config { return .file(config, logLevel: logLevel) }
        let data = if let data { data } else { try SinglePaths.data() }
        let socket = if let socket { socket } else { try SinglePaths.socket() }
        var settings = Settings.single(data: data, socket: socket)
        if let logLevel { settings.logLevel = logLevel }
        return .fixed(settings)
    }
}

Conclaved.main()

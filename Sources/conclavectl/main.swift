import ArgumentParser
import Glibc

/// Reads the command line, runs the command, and ends with the exit code that the table of exit
/// codes names. A mistake in the command line is told in one line.
func runProgram() -> Int32 {
    guard CommandWords.optionsAreText else {
        Output.error("an argument is not UTF-8 (see 'conclave --help')")
        return ExitStatus.usage
    }
    do {
        var command = try ConclaveCommand.parseAsRoot()
        try command.run()
        return ExitStatus.success
    } catch let status as ExitStatus {
        return status.code
    } catch {
        return report(error)
    }
}

private func report(_ error: any Error) -> Int32 {
    let code = ConclaveCommand.exitCode(for: error).rawValue
    guard code != 0 else {
        Output.standard(ConclaveCommand.fullMessage(for: error))
        return code
    }
    let message = ConclaveCommand.message(for: error)
    let form = AcceptedForm.words(for: message).map { "; \($0)" } ?? ""
    Output.error("\(message)\(form) (see '\(help())')")
    return ExitStatus.usage
}

/// The help of the command that was meant, as far as the words name one.
private func help() -> String {
    var command: any ParsableCommand.Type = ConclaveCommand.self
    var words = ["conclave"]
    for word in CommandLine.arguments.dropFirst() {
        let named = command.configuration.subcommands.first { $0.configuration.commandName == word }
        guard let named else { break }
        command = named
        words.append(word)
    }
    return words.joined(separator: " ") + " --help"
}

/// A descriptor that was closed would be that of the next file or socket, and what is printed would go
/// there: in its place is one that cannot be read or written.
private func keepStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
        let access = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
        _ = unsafe open("/dev/null", access)
    }
}

keepStandardDescriptors()
exit(runProgram())

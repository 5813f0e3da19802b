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
    Output.error("\(message)\(form) (see '\(help(for: error))')")
    return ExitStatus.usage
}

/// The help of the command that was meant, as far as that is known.
private func help(for error: any Error) -> String {
    let text = ConclaveCommand.fullMessage(for: error)
    let named = text.firstMatch(of: /See '(conclave[^'\n]* --help)'/)?.1
    return named.map(String.init) ?? "conclave --help"
}

exit(runProgram())

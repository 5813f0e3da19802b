import ConclaveReactor
import Glibc
import Logging

/// The life of the process around a daemon: its log, and how it ends.
package final class Program {
    private let writer: LogWriter?
    private let queue: LogQueue?

    package init() {
        // Whoever does not read its socket or our log any more must not end us.
        _ = signal(SIGPIPE, SIG_IGN)
        do throws(SystemError) {
            let queue = try LogQueue()
            writer = try LogWriter(queue)
            self.queue = queue
        } catch {
            queue = nil
            writer = nil
        }
    }

    /// Runs a daemon to its end, and ends the process.
    package func run(_ configuration: Configuration, isCheck: Bool) -> Never {
        let settings: Settings
        do throws(SettingsFaults) {
            settings = try configuration.read()
        } catch {
            for fault in error.faults { isCheck ? tell("\(fault)") : say("\(fault)") }
            exit(.configuration)
        }
        if isCheck { exit(nil) }
        do throws(StartFault) {
            let daemon = try Daemon.start(
                configuration: configuration, settings: settings,
                observer: Observer(logger: logger(settings.logLevel)))
            if let fault = daemon.run() { end(fault) }
            exit(nil)
        } catch {
            end(error)
        }
    }

    /// Says why, in one line, and ends the process with the fault's status.
    package func end(_ fault: StartFault) -> Never {
        say("conclaved: \(fault)")
        exit(fault.status)
    }

    private func logger(_ level: Logger.Level) -> Logger {
        guard let queue else {
            return Logger(label: "conclaved", factory: { _ in SwiftLogNoOpLogHandler() })
        }
        // journald notes the time of each line by itself.
        let isJournal = unsafe getenv("JOURNAL_STREAM") != nil
        let handler = StandardErrorHandler(queue: queue, level: level, hasTime: !isJournal)
        return Logger(label: "conclaved", factory: { _ in handler })
    }

    private func say(_ sentence: String) {
        tell("<3>\(sentence)")
    }

    /// Without a priority in front, for who reads it at a terminal or in an editor.
    private func tell(_ line: String) {
        queue?.append(Array("\(line)\n".utf8))
    }

    private func exit(_ status: StartFault.Status?) -> Never {
        writer?.finish()
        Glibc.exit(status?.rawValue ?? 0)
    }
}

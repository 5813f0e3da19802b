import ArgumentParser
import Conclave

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Have whoever holds a lock let go of it.",
        discussion: """
            Asks the holders first: a command under 'conclave lock' gets SIGTERM, and the lock is \
            given back when it has ended; a program hears of it by the library. With --force the \
            session of whoever still holds the lock then ends, with all that it has: as soon as \
            its process can no longer believe in it. --within 0s asks nobody.

              conclave release db/migrate
              conclave release db/migrate --within 5m --force


            """ + RevokingOptions.exitCodes)

    @Argument(help: "The lock or semaphore.")
    var name: NameArgument

    @OptionGroup var options: RevokingOptions

    func run() throws {
        try options.revoke(.lock, name)
    }
}

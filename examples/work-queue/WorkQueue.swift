// A queue of work that the members of a task group share out among themselves, without asking
// anybody.
//
// A task group tells all its members the same views and messages, in one order. So each of them keeps
// a copy of the queue (`SharedQueue`) that only what it is told changes, and all copies agree:
//
// - An item is a message. Its name is the version at which it was ordered.
// - Who does it follows from the item and the present members alone: see `SharedQueue.worker(of:)`.
//   When a member is gone its items have other workers in the very view that says so.
// - That it is done is a message, too, and only then do the others forget it.
// - A newcomer was not told what was said before: a member hands it the open items (`provide`), and it
//   takes them over (`adopt`). From the view on that says so it has its share.
//
// So no item is lost as long as one member lives that knows of it, and each is done at least once: twice
// only if it had another worker, because a member came or went, before all were told that it is done. What
// is handed to a newcomer has room for 1 MiB of open items.
//
// With one daemon, `conclaved --single`, and $CONCLAVE_SOCKET naming its socket (see README.md):
//
//     for n in 1 2 3; do work-queue work jobs --milliseconds 500 & done
//     work-queue submit jobs $(seq 30) &
//     kill -9 %2
//     wait %4                              # all are done

import ArgumentParser
import Glibc

@main struct WorkQueue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work-queue",
        abstract: "A queue of work that the members of a task group share out.",
        subcommands: [Work.self, Submit.self])
}

/// What went wrong, in a sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Prints a line at once, also where a file or a pipe reads it.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

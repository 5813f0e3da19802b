// A file server that cannot be fooled by a writer that comes too late.
//
// Writers take a lock before they write a file. But no lock can stop a process that was paused after
// it had looked at its lock: by the scheduler, by swapping, by a virtual machine that is moved. When
// it goes on, its lock may be somebody else's. So each grant of the lock comes with a fencing token,
// larger than all before it; a writer passes it along, and the server keeps it with the file and
// refuses a smaller one. `FileStore.write` is where that happens.
//
// With one daemon, `conclaved --single`, and $CONCLAVE_SOCKET naming its socket (see README.md):
//
//     mkdir store
//     fenced-writer serve store &
//     fenced-writer write store report "first"
//     fenced-writer write store report "late" --pause &    # stops itself before it writes
//     conclave release report --within 0s --force          # its lock is taken from it
//     fenced-writer write store report "second"
//     kill -CONT %2                                        # refused: the store has seen a newer token
//     cat store/report
//
// In a group of several daemons nobody need take the lock from a holder whose host stands still: stop
// the daemon together with the writer (`kill -STOP`), and the lock goes on by itself.

import ArgumentParser

@main struct FencedWriter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fenced-writer",
        abstract: "Writes files under a lock, to a store that refuses whoever comes too late.",
        subcommands: [Serve.self, Write.self])
}

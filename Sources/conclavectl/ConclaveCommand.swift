import ArgumentParser
import Conclave

struct ConclaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave",
        abstract:
            "Locks, elections, barriers, latches, task groups and shared configuration for a cluster's hosts.",
        discussion: """
            Talks to the daemon of this host, conclaved. The socket is --socket or \
            $CONCLAVE_SOCKET; else /run/conclave/conclave.sock, conclave/conclave.sock in \
            $XDG_RUNTIME_DIR, or /tmp/conclave-UID/conclave.sock.

              conclave lock db/migrate -- ./migrate.sh
              conclave elect scheduler --value "$HOSTNAME" -- ./scheduler
              conclave barrier step-7 --parties 64 --timeout 5m
              conclave put db/primary 10.0.0.4
              conclave group join workers --attribute gpu=2 -- ./worker
              conclave status

            With --json a request that fails is told as one object on the standard error: 'error' names the \
            kind, 'message' is for people, 'advice' says what to do where something can be said; \
            mistakes in the command line are told in words.

            Exit codes:
              1     not obtained: busy, waited too long, barrier broken, deadlock, a key that
                    is not there or not as demanded
              64    wrong usage or an invalid value
              69    no daemon at the socket, or it is outside the majority
              74    the standard output could not be written to: what was done is done, though
                    it is not told; or a backup could not be read or written
              75    the daemon went away while waiting; nothing is held, and nobody knows whether
                    anything was changed: look, then try again
              76    held, then lost: the command was stopped
              77    not permitted
              126   the command is not executable (nothing was taken)
              127   the command was not found (nothing was taken)
              130   interrupted
              else  the command's own; 128 + n: it was killed by signal n
            """,
        version: Conclave.version,
        subcommands: [
            LockCommand.self, LimitCommand.self, ElectCommand.self, LeaderCommand.self,
            BarrierCommand.self, LatchCommand.self, LatchesCommand.self, LeaseCommand.self,
            StatusCommand.self, MembersCommand.self,
            MemberCommand.self,
            RecoverCommand.self, ViewsCommand.self, LocksCommand.self, WhyCommand.self,
            TimingCommand.self, DoctorCommand.self, ReleaseCommand.self, ResignCommand.self,
            HandoverCommand.self,
            EvictCommand.self, SessionsCommand.self, HistoryCommand.self,
            PutCommand.self, GetCommand.self, DeleteCommand.self, ListCommand.self,
            WatchCommand.self, TransactionCommand.self, BackupCommand.self, RestoreCommand.self,
            GroupCommand.self, ChaosCommand.self,
        ])
}

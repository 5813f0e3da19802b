import ArgumentParser

struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Join a task group, show who belongs to it, or send to it.",
        discussion: """
            A task group is a list of programs that all of them see alike: every member is told the \
            same views and messages, in the same order, each once. A view is the list of members, \
            ranked by when they joined, with what changed: who joined, who is gone and why ('left', \
            'died', 'expired', 'hostLost', 'evicted'). A message belongs to the view in which it is \
            told.

              conclave group join workers --attribute gpu=2 -- ./worker
              conclave group join workers
              conclave group members workers --follow
              conclave group send workers "reload"

            A follower that is behind for too long, since its host was away or it did not read, is \
            told 'resync' and the present view: what was said meanwhile is lost for it. Of each \
            group 4096 views and messages are kept for that, of at most 4 MiB.

            Exit codes: 1 refused, such as a message to nobody; 64 wrong usage; 69 no daemon, or \
            outside the majority; 76 the membership was lost; 77 not permitted.
            """,
        subcommands: [
            GroupJoinCommand.self, GroupMembersCommand.self, GroupSendCommand.self,
            GroupEvictCommand.self,
        ])
}

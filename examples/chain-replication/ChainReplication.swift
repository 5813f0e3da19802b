// A key/value store that is replicated along a chain (van Renesse and Schneider, OSDI 2004), put
// together from a task group.
//
// The group's views are the chain: rank 0 is its head, the last rank its tail, and each node's
// neighbours are those next to it in rank. Conclave only says who is there; the updates go over the
// nodes' own Unix sockets:
//
//     put ──▶ head ──update──▶ middle ──update──▶ tail ◀── get
//         ◀──      ◀────ack───        ◀────ack───
//
// The head numbers an update and sends it down the chain, each node applies it and sends it on, and
// when the tail has it, it is acknowledged back up the chain and to the client. So whatever was
// acknowledged is at every node, and whatever a node has all before it have. That makes each change of
// the chain simple (`ChainNode.install`):
//
// - A node in the middle is gone: the node before it sends the one behind it what that does not have.
// - The tail is gone: its predecessor is the tail, and acknowledges all that it has.
// - The head is gone: its successor is the head. What only the old one had was not acknowledged: the
//   client sends it again, and nothing is applied twice.
// - A node has joined: it is the new tail, and gets the whole state from its predecessor, then the
//   updates that follow. Until it has all of that nothing is acknowledged.
//
// The chain is kept in memory: it lasts as long as one node does that has its state. A node that lost
// its place, because it was paused with its host, say, is fooled by nobody: its neighbours have hung
// up on it, and it answers no client unless its membership is valid at that moment.
//
// With one daemon, `conclaved --single`, and $CONCLAVE_SOCKET naming its socket (see README.md):
//
//     for n in 1 2 3; do chain-replication node store --listen ./node$n.socket & done
//     chain-replication put store colour blue
//     chain-replication fill store run1 &      # puts one key after the other, until killed
//     kill -9 %2                               # and see the chain close again
//     chain-replication node store --listen ./node4.socket &
//     chain-replication get store colour run1/1 run1/2

import ArgumentParser

@main struct ChainReplication: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain-replication",
        abstract: "A key/value store replicated along a chain, which a task group manages.",
        subcommands: [NodeCommand.self, PutCommand.self, FillCommand.self, GetCommand.self])
}

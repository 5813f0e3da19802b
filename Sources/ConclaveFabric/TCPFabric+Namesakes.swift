import ConclaveBase
import ConclaveReactor

/// What becomes of a path when its node connects once more: it was started again, or somebody gave
/// two machines one number.
extension TCPFabric {
    /// False: two processes run as one node, and the one that has the path keeps it.
    func makesWay(for connection: Connection, _ member: Member) -> Bool {
        guard let index = index(of: member.node), let path = peers[index].path,
            let present = path.member, present != member,
            peers[index].namesakes.isBack(member.incarnation)
        else { return true }
        // The one that has the path may have ended meanwhile.
        guard path.drain(), path.phase == .open else { return true }
        let isKept = peers[index].namesakes.isKept(
            member.incarnation, at: connection.address, rather: present.incarnation,
            at: path.address, listed: peers[index].address)
        let (kept, other) = isKept ? (connection, path) : (path, connection)
        let refusal = FabricRefusal.numberTaken(
            member.node, kept: kept.address, other: other.address)
        if isKept {
            report(node: member.node, address: other.address, .refused(refusal))
        } else {
            refuse(connection, refusal, claimed: member.node, tell: .now)
        }
        return isKept
    }

    /// The path there was ends with the new one of its node.
    func replacePath(to member: Member, at address: SocketAddress, _ index: Int) {
        guard let old = peers[index].path else { return }
        // Its last words and frames come before the new one's first.
        old.drain()
        guard old.phase == .open else { return }
        report(old, .replaced)
        peers[index].path = nil
        if old.member == member {
            old.close()
        } else {
            // Nobody reads this but a process that lives beside the new one.
            let refusal = FabricRefusal.numberTaken(
                member.node, kept: address, other: old.address)
            discard(old, saying: "\(refusal)", number: refusal.number)
        }
        tell(.disconnected(member.node, byPeer: true), .now)
    }

    /// Who is not wanted beside another process of its number asks again in case that one ends.
    func dialRarely(_ connection: Connection) {
        guard connection.phase == .greeting, let node = connection.dialled,
            let index = index(of: node)
        else { return }
        peers[index].namesakePause = min(
            max(peers[index].namesakePause * 2, settings.lastDialPause * 2),
            settings.namesakePause)
    }
}

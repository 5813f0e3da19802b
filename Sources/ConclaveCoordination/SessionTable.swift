import ConclaveBase
import ConclaveWire

/// The sessions that live, under dense indexes.
struct SessionTable: Sendable {
    private var rows = Arena<Session>()
    private var indexes: [SessionID: Int] = [:]
    private var indexesByClientID: [Secret: Int] = [:]
    private var countsByMember: [Member: Int] = [:]
    private var countsByUID: [UInt32: Int] = [:]
    /// Of the replies of all their sessions: see `Replies.byteCount`.
    private var replyByteCountsByUID: [UInt32: Int] = [:]
    private(set) var replyByteCount = 0
    /// Numbers of the users who have a session, and those that are free again.
    private var users: [UInt32: Int] = [:]
    private var freeUsers: [Int] = []

    var count: Int { rows.count }

    var frozen: Arena<Session> { rows.frozen }

    subscript(index: Int) -> Session {
        unsafeAddress { unsafe rows.address(of: index) }
        unsafeMutableAddress { unsafe rows.mutableAddress(of: index) }
    }

    func index(of id: SessionID) -> Int? { indexes[id] }
    func index(openedAs clientID: Secret) -> Int? { indexesByClientID[clientID] }
    func count(attachedTo member: Member) -> Int { countsByMember[member] ?? 0 }
    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    func replyByteCount(ofUID uid: UInt32) -> Int { replyByteCountsByUID[uid] ?? 0 }

    /// The number of the user whose process has the session.
    mutating func user(of index: Int) -> Int {
        let uid = rows[index].process.uid
        if let known = users[uid] { return known }
        let number = freeUsers.popLast() ?? users.count
        users[uid] = number
        return number
    }

    /// The same of a user who has a session.
    func user(ofUID uid: UInt32) -> Int? { users[uid] }

    private mutating func uncount(uid: UInt32) {
        Self.uncount(uid, in: &countsByUID)
        guard countsByUID[uid] == nil, let number = users.removeValue(forKey: uid) else { return }
        freeUsers.append(number)
    }

    /// By id.
    func indexes(where isIncluded: (Session) -> Bool) -> [Int] {
        rows.indexes.filter { isIncluded(rows[$0]) }.sorted { rows[$0].id < rows[$1].id }
    }

    mutating func insert(_ session: Session) -> Int {
        let index = rows.insert(session)
        indexes[session.id] = index
        indexesByClientID[session.clientID] = index
        countsByMember[session.attachment.member, default: 0] += 1
        countsByUID[session.process.uid, default: 0] += 1
        return index
    }

    mutating func remove(_ index: Int) {
        let session = rows.remove(index)
        indexes[session.id] = nil
        indexesByClientID[session.clientID] = nil
        Self.uncount(session.attachment.member, in: &countsByMember)
        uncount(uid: session.process.uid)
        countReplies(-session.replies.byteCount, ofUID: session.process.uid)
    }

    /// What the replies to a session take has grown, or shrunk.
    mutating func countReplies(_ growth: Int, of index: Int) {
        guard growth != 0 else { return }
        countReplies(growth, ofUID: rows[index].process.uid)
    }

    @inline(never)
    private mutating func countReplies(_ growth: Int, ofUID uid: UInt32) {
        replyByteCount += growth
        let count = replyByteCount(ofUID: uid) + growth
        replyByteCountsByUID[uid] = count == 0 ? nil : count
    }

    /// Attaches a session to `member` for `process`, under the next attach number.
    mutating func attach(_ index: Int, to member: Member, process: ProcessIdentity) {
        let old = rows[index]
        Self.uncount(old.attachment.member, in: &countsByMember)
        uncount(uid: old.process.uid)
        countsByMember[member, default: 0] += 1
        countsByUID[process.uid, default: 0] += 1
        countReplies(-old.replies.byteCount, ofUID: old.process.uid)
        countReplies(old.replies.byteCount, ofUID: process.uid)
        rows[index].process = process
        rows[index].attachment = Attachment(member: member, number: old.attachment.number + 1)
    }

    private static func uncount<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) {
        let count = counts[key] ?? 0
        counts[key] = count > 1 ? count - 1 : nil
    }
}

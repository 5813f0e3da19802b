import ConclaveBase
import ConclaveReactor
import ConclaveWire

/// How connections become paths, and what is heard on them.
extension TCPFabric {
    func didAccept(_ socket: Descriptor, from address: SocketAddress) throws(SystemError) {
        let deadline = reactor.now().advanced(by: settings.helloTimeout)
        let connection = try Connection(
            socket, address: address, dialled: nil, deadline: deadline, fabric: self)
        add(stranger: connection)
    }

    func dialDue(now: Instant) {
        for index in peers.indices where peers[index].nextDial <= now {
            peers[index].nextDial = .distantFuture
            guard peers[index].path == nil, peers[index].dial == nil else { continue }
            guard peers[index].cutUntil == nil else {
                dialLater(index, now: now)
                continue
            }
            do {
                let socket = try TCPSocket.connect(to: peers[index].address)
                peers[index].dial = try Connection(
                    socket, address: peers[index].address, dialled: peers[index].node,
                    deadline: now.advanced(by: settings.dialTimeout), fabric: self)
            } catch {
                report(node: peers[index].node, address: peers[index].address, .dialFailed(error))
                dialLater(index, now: now)
            }
        }
    }

    /// After a pause that doubles until a path was open.
    func dialLater(_ index: Int, now: Instant) {
        guard peers[index].node < own.node else { return }
        let pause = max(peers[index].pause, peers[index].namesakePause)
        peers[index].nextDial = now.advanced(by: pause)
        peers[index].pause = min(peers[index].pause * 2, settings.lastDialPause)
        schedule(peers[index].nextDial)
    }

    func didConnect(_ connection: Connection, failure: SystemError?) {
        guard let node = connection.dialled else { return }
        if let failure {
            report(connection, .dialFailed(failure))
            discard(connection)
            return
        }
        sayHello(on: connection, to: node)
        connection.beginGreeting(deadline: reactor.now().advanced(by: settings.helloTimeout))
        schedule(connection.deadline)
    }

    func sayHello(on connection: Connection, to node: NodeID) {
        let hello = hello(to: node)
        connection.append(FrameHeader.frame(type: MemberFrame.hello, body: hello.encode()))
        connection.saidLineage = lineage
    }

    private func hello(to node: NodeID) -> Hello {
        Hello(
            lineage: lineage, givenUp: givenUp, member: own, to: node, digest: digest,
            foundingDigest: foundingDigest)
    }

    // MARK: - Frames

    func didReceive(_ header: FrameHeader, body: UnsafeRawBufferPointer, on connection: Connection)
    {
        switch (header.type, connection.phase) {
        case (MemberFrame.hello, _):
            unsafe didReceiveHello(Array(body), on: connection)
        case (MemberFrame.refusal, _):
            unsafe didReceiveRefusal(header, body: Array(body), on: connection)
        case (MemberFrame.control, .open):
            guard let node = connection.node else { return }
            unsafe tell(.control(from: node, bytes: Array(body)), .now)
        case (MemberFrame.row, .open):
            unsafe didReceiveRow(header, body: body, on: connection)
        case (MemberFrame.control, _), (MemberFrame.row, _):
            didFail(connection, .unexpectedFrame(type: header.type))
        default:
            didFail(connection, .unknownFrame(type: header.type))
        }
    }

    private func didReceiveHello(_ body: [UInt8], on connection: Connection) {
        do {
            let hello = try Hello(from: body)
            // What comes on a path that is held already is heard: it ends like any other one.
            guard connection.phase == .open || !isCut(hello.member.node) else {
                return discard(connection)
            }
            let answer = self.hello(to: hello.member.node)
            if let refusal = refusal(of: hello, answer: answer, on: connection) {
                if case .lineage = refusal { tellOfGivenUp(hello, on: connection) }
                refuse(connection, refusal, claimed: hello.member.node, tell: .now)
                return
            }
            connection.lineage = hello.lineage
            guard connection.phase == .greeting, makesWay(for: connection, hello.member) else {
                return
            }
            open(connection, hello.member)
        } catch {
            didFail(connection, .frame(error))
        }
    }

    /// Of two histories one may have been given up for the other: whoever is left behind is to know.
    private func tellOfGivenUp(_ hello: Hello, on connection: Connection) {
        if hello.givenUp.contains(lineage) { tell(.givenUp(by: hello.member.node), .now) }
        guard givenUp.contains(hello.lineage), connection.phase == .greeting,
            connection.dialled == nil
        else { return }
        sayHello(on: connection, to: hello.member.node)
    }

    private func refusal(
        of hello: Hello, answer: Hello, on connection: Connection
    ) -> FabricRefusal? {
        let node = hello.member.node
        // Of another version even the other fields may mean something else.
        if !hello.versions.overlaps(answer.versions) {
            return .version(theirs: hello.versions, own: answer.versions)
        }
        if let dialled = connection.dialled, dialled != node {
            return .wrongNode(meant: dialled, found: node)
        }
        if let member = connection.member, member != hello.member { return .changedMember(node) }
        guard index(of: node) != nil else { return .unknownNode(node) }
        if connection.dialled == nil, node < own.node {
            return .wrongDirection(from: node, to: own.node)
        }
        return hello.refusal(by: answer)
    }

    private func didReceiveRefusal(
        _ header: FrameHeader, body: [UInt8], on connection: Connection
    ) {
        do {
            var reader = ByteReader(body)
            let text = try reader.text("reason", maximum: MemberFrame.maximumRefusalByteCount)
            // It goes into logs: nobody breaks their lines.
            let printable = text.unicodeScalars.map {
                $0.value < 0x20 || $0.value == 0x7F ? " " : $0
            }
            let words = String(String.UnicodeScalarView(printable))
            if header.number == MemberFrame.numberTaken {
                report(connection, .numberTaken(words))
                dialRarely(connection)
            } else {
                report(connection, .refusedByPeer(words))
            }
            end(connection, byPeer: false, saying: nil, tell: .now)
        } catch {
            didFail(connection, .frame(error))
        }
    }

    private func didReceiveRow(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, on connection: Connection
    ) {
        guard let node = connection.node else { return }
        guard body.count >= MemberFrame.rowHeaderByteCount else {
            let error = unsafe WireError.truncated(
                field: "offset", needed: MemberFrame.rowHeaderByteCount, got: body.count)
            didFail(connection, .frame(error))
            return
        }
        let offset = Int(
            UInt32(littleEndian: unsafe body.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: body[MemberFrame.rowHeaderByteCount...])
        let epoch = Epoch(header.number)
        if header.flags.contains(.last), connection.partialRow == nil {
            unsafe tell(.row(from: node, epoch: epoch, offset: offset, bytes: Array(bytes)), .now)
            return
        }
        do {
            let part = Connection.PartialRow(
                epoch: epoch, offset: offset, bytes: unsafe Array(bytes))
            try connection.append(part, maximumByteCount: settings.maximumRowByteCount)
        } catch {
            didFail(connection, error)
            return
        }
        guard header.flags.contains(.last), let row = connection.takeRow() else { return }
        tell(.row(from: node, epoch: epoch, offset: row.offset, bytes: row.bytes), .now)
    }

    private func open(_ connection: Connection, _ member: Member) {
        guard let index = index(of: member.node) else { return }
        replacePath(to: member, at: connection.address, index)
        strangers.removeAll { $0 === connection }
        if peers[index].dial === connection { peers[index].dial = nil }
        connection.open(member)
        peers[index].path = connection
        peers[index].pause = settings.firstDialPause
        peers[index].namesakePause = .zero
        peers[index].nextDial = .distantFuture
        peers[index].namesakes.opened(member.incarnation)
        if connection.dialled == nil || connection.saidLineage != lineage {
            sayHello(on: connection, to: member.node)
            connection.flush()
        }
        tell(.connected(member), .now)
    }
}

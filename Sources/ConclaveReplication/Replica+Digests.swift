import ConclaveBase
import ConclaveGroup

/// Members compare their states by digests that go through the order, so that one whose state
/// went wrong, by a bug or by bad memory, does not go on giving answers.
extension Replica {
    func makeDigest() {
        guard digest != nil || hasDueDigest else { return }
        hasDueDigest = false
        guard let epoch, !epoch.isWedged else { return digest = nil }
        guard let source = digest ?? order.takeDueDigest() else { return }
        digest = nil
        if let value = source.next(settings.snapshotPartByteCount) {
            var value = value
            if settings.plant == .digestAtAnotherVersion {
                let present = DigestSource(source.version, of: order.machine)
                value = present.next(.max / 2) ?? value
            }
            words.append(.digest(source.version, value))
        } else {
            digest = source
        }
    }

    /// What was found at a point of the order, on all members alike. Not told: it belongs to a
    /// history that others have lived through.
    func takeVerdicts(isTold: Bool) {
        for verdict in order.takeVerdicts() where isTold {
            switch verdict {
            case .differs(let member, let version):
                tell(event: .stateDiffers(accused(member).node, version: version))
                if member == settings.own, settings.plant != .differingStateGoesOn {
                    breakAway(at: version)
                }
            case .divided(let version):
                tell(event: .stateDivided(version: version))
            }
        }
    }

    /// Who is told to have another state: that member.
    private func accused(_ member: Member) -> Member {
        guard settings.plant == .neighbourAccused, let rank = view.rank(of: member.node) else {
            return member
        }
        return view.members[(rank.index + 1) % view.members.count]
    }

    /// This member's state is wrong: it says nothing more, notes that on its disk, and ends.
    private func breakAway(at version: Version) {
        guard !hasFailed else { return }
        let fault = FatalFault.broken(
            "the state at version \(version) is not the one that a majority of the members has")
        let canNote =
            settings.durability == .disk && !fullLanes.contains { $0.lane == .views }
        guard canNote else { return fail(fault) }
        hasFailed = true
        let tag = nextTag()
        breaking = (tag, fault)
        disk.submit(.create(LostJournal.differingMarker, byteCount: 0), lane: .views, tag: 0)
        disk.submit(.syncDirectory, lane: .views, tag: tag)
    }

    /// The last thing that a broken member waits for. If there is no room for it, it ends all the
    /// same, and is found again.
    func completedBreaking(_ input: DiskInput) {
        guard let breaking else { return }
        switch input {
        case .completed(let tag) where tag != breaking.tag: return
        case .full(let lane, _) where lane != .views: return
        case .hasRoom: return
        case .completed, .failed, .full:
            self.breaking = nil
            tell(.fatal(breaking.fault))
        }
    }
}

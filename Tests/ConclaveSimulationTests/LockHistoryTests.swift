import ConclaveBase
import ConclaveSimulation
import ConclaveWire
import Testing

/// Stories of locks, as clients tell them: 1, 2 and 3 are processes, and `granted(10)` has token 10.
@Suite struct `Lock histories` {
    private var story = HistoryBuilder()

    init() {
        story.open(1, 2, 3)
    }

    private mutating func expect(_ promise: ContractPromise?) throws {
        #expect(try story.broken() == promise)
    }

    // MARK: - Right

    @Test mutating func `one after the other`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .lock, .granted(12, after: .released))
        story.run(2, 2, .release(12), .done)
        try expect(nil)
    }

    @Test mutating func `a waiter is granted while the release is on its way`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.call(1, 2, .release(10))
        story.answer(2, 1, .granted(12, after: .released))
        story.answer(1, 2, .done)
        try expect(nil)
    }

    @Test mutating func `those who share hold it together`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(2, 1, .share, .granted(11))
        story.call(3, 1, .lock)
        story.run(1, 2, .release(10), .done)
        story.run(2, 2, .release(11), .done)
        story.answer(3, 1, .granted(14, after: .released))
        try expect(nil)
    }

    @Test mutating func `a run of shared grants has one token`() throws {
        story.run(3, 1, .lock, .granted(9))
        story.call(1, 1, .share)
        story.call(2, 1, .share)
        story.run(3, 2, .release(9), .done)
        story.answer(2, 1, .granted(12, after: .released))
        story.answer(1, 1, .granted(12, after: .released))
        try expect(nil)
    }

    @Test mutating func `whoever shared it has it alone, and shares it again`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(2, 1, .share, .granted(11))
        story.call(1, 2, .upgrade(10))
        story.run(3, 1, .tryShare, .busy(1))
        story.run(2, 2, .release(11), .done)
        story.answer(1, 2, .granted(14, after: .released))
        story.run(2, 3, .tryShare, .busy(1))
        story.run(1, 3, .downgrade(14), .done)
        story.run(2, 4, .share, .granted(17, after: .released))
        story.run(1, 4, .release(10), .refused(.notHeld))
        story.run(1, 5, .release(14), .done)
        try expect(nil)
    }

    @Test mutating func `a try finds it busy`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(2, 1, .tryLock, .busy(1))
        story.run(1, 2, .release(10), .done)
        story.run(2, 2, .tryLock, .granted(13, after: .released))
        try expect(nil)
    }

    @Test mutating func `a shared try finds a shared lock busy behind one who waits`() throws {
        story.run(1, 1, .share, .granted(10))
        story.call(2, 1, .lock)
        story.run(3, 1, .tryShare, .busy(1))
        story.run(1, 2, .release(10), .done)
        story.answer(2, 1, .granted(14, after: .released))
        try expect(nil)
    }

    @Test mutating func `a waiter gives up in time`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.giveUp(2, 1)
        story.answer(2, 1, .cancelled)
        story.run(1, 2, .release(10), .done)
        story.run(3, 1, .tryLock, .granted(15, after: .released))
        try expect(nil)
    }

    @Test mutating func `a waiter gives up too late`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.giveUp(2, 1)
        story.run(1, 2, .release(10), .done)
        story.answer(2, 1, .granted(12, after: .released))
        try expect(nil)
    }

    @Test(arguments: [PreviousEnd.died, .expired])
    mutating func `a holder dies and the next is told how`(end: PreviousEnd) throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.die(1)
        story.answer(2, 1, .granted(12, after: end))
        try expect(nil)
    }

    @Test mutating func `a session is lost, and what it held goes on`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.lose(1)
        story.run(2, 1, .tryLock, .busy(1))
        story.run(2, 2, .tryLock, .granted(14, after: .expired))
        try expect(nil)
    }

    @Test mutating func `a try finds a lock closed that nobody has, after a loss`() throws {
        story.run(1, 1, .delayedLock, .granted(10))
        story.run(2, 1, .tryLock, .busy(1))
        story.die(1)
        story.run(2, 2, .tryLock, .busy(holder: nil))
        story.run(2, 3, .lock, .granted(14, after: .died))
        try expect(nil)
    }

    @Test mutating func `goodbye lets go of everything`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.goodbye(1)
        story.answer(2, 1, .granted(12, after: .goodbye))
        story.close(1)
        try expect(nil)
    }

    @Test mutating func `a grant that was never told shows in a busy answer`() throws {
        story.call(1, 1, .lock)
        story.die(1)
        story.run(2, 1, .tryLock, .busy(1))
        story.run(2, 2, .tryLock, .granted(14))
        try expect(nil)
    }

    @Test mutating func `a grant that was never told shows to a try that is told no name`() throws {
        story.call(1, 1, .lock)
        story.die(1)
        story.run(2, 1, .tryLock, .busy(holder: nil))
        story.run(2, 2, .tryLock, .granted(14))
        try expect(nil)
    }

    @Test mutating func `a release whose outcome is unknown may have been one, or not`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(1, 2, .release(10))
        story.run(2, 1, .tryLock, .busy(1))
        story.run(2, 2, .tryLock, .granted(14))
        story.answer(1, 2, .unknown)
        try expect(nil)
    }

    @Test mutating func `objects of other names are independent`() throws {
        story.run(1, 1, .lock, .granted(10), "a")
        story.run(2, 1, .lock, .granted(9), "b")
        story.run(2, 2, .tryLock, .busy(1), "a")
        try expect(nil)
    }

    @Test mutating func `a semaphore that nobody holds is forgotten with its limit`() throws {
        story.run(1, 1, .permits(1, of: 1), .granted(10))
        story.run(2, 1, .tryPermits(1), .busy(1))
        story.run(1, 2, .release(10), .done)
        story.run(2, 2, .permits(1, of: 4), .granted(12))
        try expect(nil)
    }

    // MARK: - Wrong

    @Test mutating func `a lock is closed though nobody was lost`() throws {
        story.run(1, 1, .delayedLock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .tryLock, .busy(holder: nil))
        try expect(.exactlyOnce)
    }

    @Test mutating func `it is had alone beside one who shares it`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(2, 1, .share, .granted(11))
        story.run(1, 2, .upgrade(10), .granted(12))
        try expect(.mutualExclusion)
    }

    @Test mutating func `it is shared with one who has it alone`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(1, 2, .upgrade(10), .granted(12))
        story.run(2, 1, .share, .granted(13))
        try expect(.mutualExclusion)
    }

    @Test mutating func `the token before an upgrade still counts`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(1, 2, .upgrade(10), .granted(12))
        story.run(1, 3, .release(10), .done)
        try expect(.exactlyOnce)
    }

    @Test mutating func `more permits than the limit that all name`() throws {
        story.run(1, 1, .permits(1, of: 2), .granted(10))
        story.run(2, 1, .permits(2, of: 2), .granted(11))
        story.run(1, 2, .release(10), .done)
        try expect(.mutualExclusion)
    }

    @Test mutating func `a try finds a semaphore busy that has a permit left`() throws {
        story.run(1, 1, .permits(1, of: 2), .granted(10))
        story.run(2, 1, .tryPermits(1), .busy(1))
        story.run(1, 2, .release(10), .done)
        try expect(.exactlyOnce)
    }

    @Test mutating func `granted between another's grant and release`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(2, 1, .lock, .granted(11))
        story.run(1, 2, .release(10), .done)
        try expect(.mutualExclusion)
    }

    @Test mutating func `granted alone while somebody shares it`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(2, 1, .lock, .granted(11))
        story.run(1, 2, .release(10), .done)
        try expect(.mutualExclusion)
    }

    @Test mutating func `busy when nobody could hold it`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .tryLock, .busy(1))
        try expect(.exactlyOnce)
    }

    @Test mutating func `busy by somebody who does not hold it`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(2, 1, .tryLock, .busy(3))
        try expect(.exactlyOnce)
    }

    @Test mutating func `a shared try finds a shared lock busy though nobody waits`() throws {
        story.run(1, 1, .share, .granted(10))
        story.run(3, 1, .tryShare, .busy(1))
        try expect(.exactlyOnce)
    }

    @Test mutating func `a release that was lost`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .lock, .granted(12))
        story.run(2, 2, .release(12), .done)
        story.run(3, 1, .tryLock, .busy(1))
        try expect(.exactlyOnce)
    }

    @Test mutating func `released twice`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(1, 3, .release(10), .done)
        try expect(.exactlyOnce)
    }

    @Test mutating func `released by somebody else`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(2, 1, .release(10), .done)
        try expect(.exactlyOnce)
    }

    @Test mutating func `told that it does not hold what it holds`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .refused(.notHeld))
        story.run(1, 3, .release(10), .done)
        try expect(.exactlyOnce)
    }

    @Test mutating func `two answers with other tokens`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.answer(1, 1, .granted(11))
        #expect(throws: HistoryError.self) { try story.broken() }
    }

    @Test mutating func `given up in time, and granted all the same`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.giveUp(2, 1)
        story.answer(2, 1, .cancelled)
        story.run(1, 2, .release(10), .done)
        story.run(3, 1, .tryLock, .busy(2))
        try expect(.exactlyOnce)
    }

    @Test mutating func `a token that went back over a restart of everything`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .lock, .granted(7))
        try expect(.fencing)
    }

    @Test mutating func `a token given twice`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.call(2, 1, .lock)
        story.run(1, 2, .release(10), .done)
        story.answer(2, 1, .granted(10))
        try expect(.fencing)
    }

    @Test mutating func `granted after the session had ended`() throws {
        story.goodbye(1)
        story.close(1)
        story.run(1, 1, .lock, .granted(10))
        try expect(.mutualExclusion)
    }

    @Test mutating func `still held by a session that has ended`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.goodbye(1)
        story.close(1)
        story.run(2, 1, .tryLock, .busy(1))
        try expect(.exactlyOnce)
    }

    @Test mutating func `granted while the holder's session could not have ended`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(2, 1, .lock, .granted(11, after: .expired))
        story.run(1, 2, .tryLock, .refused(.alreadyHeld))
        story.die(1)
        try expect(.mutualExclusion)
    }

    @Test mutating func `an operation that was over before another began comes after it`() throws {
        story.call(3, 1, .lock)
        story.run(1, 1, .lock, .granted(20))
        story.run(1, 2, .release(20), .done)
        story.run(2, 1, .tryLock, .granted(22))
        story.run(2, 2, .release(22), .done)
        // It waited all the time, but was granted before something that came before it.
        story.answer(3, 1, .granted(21))
        story.run(3, 2, .release(21), .done)
        try expect(.mutualExclusion)
    }

    @Test mutating func `told of an end that was none`() throws {
        story.run(1, 1, .lock, .granted(10))
        story.run(1, 2, .release(10), .done)
        story.run(2, 1, .lock, .granted(12, after: .died))
        try expect(.mutualExclusion)
    }
}

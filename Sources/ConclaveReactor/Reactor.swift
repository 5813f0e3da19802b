import CConclaveLinux
package import ConclaveBase
import Glibc

/// Waits for descriptors, deadlines and wakes of one thread, and calls who is concerned.
///
/// Level-triggered. A turn waits once, calls every handler that is ready and then returns: what a
/// turn collected can be sent out together. It sleeps until something happens; nothing is polled.
/// Everything but `waker` belongs to the one thread that turns it.
@safe package final class Reactor {
    /// A place in the reactor, good until it is removed. Numbers of descriptors are used again,
    /// this is not.
    package struct Registration: Hashable, Sendable {
        fileprivate var index: UInt32
        fileprivate var generation: UInt32

        fileprivate var tag: UInt64 { UInt64(generation) << 32 | UInt64(index) }
    }

    private struct Slot {
        var generation: UInt32
        var descriptor: Int32
        var handler: (any ReactorHandler)?
    }

    private static let timerTag = UInt64.max
    private static let wakerTag = UInt64.max - 1

    /// Ends the present turn, or the next one, from any thread.
    package let waker: Waker
    /// For bytes on their way from a socket into whatever takes them apart: one for all handlers,
    /// so nothing may stay in it when a handler returns.
    package let scratch: UnsafeMutableRawBufferPointer

    private let epoll: Descriptor
    private let timer: Descriptor
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var alarms: [any ReactorAlarm] = []
    /// When the timer goes off. It may be earlier than anybody needs: it is not put off at every
    /// turn, but when it goes off too early.
    private var armed = Instant.distantFuture
    private var batch = [conclave_linux_event](
        repeating: conclave_linux_event(), count: Int(CONCLAVE_LINUX_EVENT_BATCH))
    private var isTurning = false

    package init(scratchByteCount: Int = 256 * 1024) throws(SystemError) {
        waker = try Waker()
        epoll = Descriptor(
            owning: try SystemError.check(conclave_linux_epoll_create(), "epoll_create1"))
        timer = Descriptor(
            owning: try SystemError.check(conclave_linux_timer_create(), "timerfd_create"))
        unsafe scratch = .allocate(byteCount: scratchByteCount, alignment: 16)
        try add(timer, tag: Self.timerTag)
        try add(waker.descriptor, tag: Self.wakerTag)
    }

    deinit {
        unsafe scratch.deallocate()
    }

    /// CLOCK_BOOTTIME.
    package func now() -> Instant {
        Instant(nanoseconds: conclave_linux_boot_time())
    }

    package func wallClock() -> Timestamp {
        Timestamp(microseconds: conclave_linux_wall_time())
    }

    // MARK: - Who is called

    /// Calls `handler` whenever `descriptor` is ready for what `interest` names. The reactor keeps
    /// the handler, but not the descriptor: the registration must be removed before it is closed.
    package func register(
        _ descriptor: Descriptor, interest: Readiness, handler: any ReactorHandler
    ) throws(SystemError) -> Registration {
        let registration = reserveSlot()
        let index = Int(registration.index)
        let result = conclave_linux_epoll_add(
            epoll.number, descriptor.number, interest.rawValue, registration.tag)
        if result < 0 {
            freeSlots.append(registration.index)
            throw SystemError(call: "epoll_ctl", number: -result)
        }
        slots[index].descriptor = descriptor.number
        slots[index].handler = handler
        return registration
    }

    package func modify(
        _ registration: Registration, interest: Readiness
    ) throws(SystemError) {
        let slot = slots[Int(registration.index)]
        precondition(slot.generation == registration.generation, "the registration was removed")
        let result = conclave_linux_epoll_modify(
            epoll.number, slot.descriptor, interest.rawValue, registration.tag)
        _ = try SystemError.check(result, "epoll_ctl")
    }

    /// From now on the handler is not called, not even for what this turn already saw.
    package func remove(_ registration: Registration) {
        let index = Int(registration.index)
        precondition(
            slots[index].generation == registration.generation, "the registration was removed")
        _ = conclave_linux_epoll_remove(epoll.number, slots[index].descriptor)
        slots[index].generation &+= 1
        slots[index].handler = nil
        freeSlots.append(registration.index)
    }

    package func add(_ alarm: any ReactorAlarm) {
        alarms.append(alarm)
    }

    package func remove(_ alarm: any ReactorAlarm) {
        alarms.removeAll { $0 === alarm }
    }

    private func reserveSlot() -> Registration {
        if let index = freeSlots.popLast() {
            return Registration(index: index, generation: slots[Int(index)].generation)
        }
        slots.append(Slot(generation: 0, descriptor: -1, handler: nil))
        return Registration(index: UInt32(slots.count - 1), generation: 0)
    }

    private func add(_ descriptor: Descriptor, tag: UInt64) throws(SystemError) {
        let result = conclave_linux_epoll_add(
            epoll.number, descriptor.number, Readiness.readable.rawValue, tag)
        _ = try SystemError.check(result, "epoll_ctl")
    }

    // MARK: - Turning

    /// Waits until something is ready, somebody wakes, or a deadline comes (this one, or an
    /// alarm's), calls all handlers that are ready, then the alarms that are due, and returns how
    /// many handlers were called. Deadlines that have passed are met late, never skipped; with
    /// one, it only looks and does not wait.
    @discardableResult
    package func turn(until deadline: Instant) throws(SystemError) -> Int {
        precondition(!isTurning, "a handler turns the reactor that called it")
        isTurning = true
        defer { isTurning = false }
        var wake = deadline
        for alarm in alarms { wake = min(wake, alarm.deadline) }
        let handled = dispatch(try wait(until: wake))
        expireAlarms()
        return handled
    }

    /// How many events lie in `batch`.
    private func wait(until wake: Instant) throws(SystemError) -> Int {
        while true {
            let isDue = wake <= now()
            if !isDue { try arm(wake) }
            let count = unsafe conclave_linux_epoll_wait(
                epoll.number, &batch, Int32(batch.count), isDue ? 0 : -1)
            if count == -EINTR { continue }
            _ = try SystemError.check(count, "epoll_wait")
            if count == 1, batch[0].tag == Self.timerTag {
                clearTimer()
                if wake <= now() { return 0 }
                continue
            }
            return Int(count)
        }
    }

    private func dispatch(_ count: Int) -> Int {
        var handled = 0
        for position in 0..<count {
            let event = batch[position]
            switch event.tag {
            case Self.timerTag: clearTimer()
            case Self.wakerTag: waker.clear()
            default:
                let index = Int(truncatingIfNeeded: event.tag & 0xFFFF_FFFF)
                let generation = UInt32(truncatingIfNeeded: event.tag >> 32)
                guard slots[index].generation == generation, let handler = slots[index].handler
                else { continue }
                handler.ready(Readiness(rawValue: event.events))
                handled += 1
            }
        }
        return handled
    }

    private func expireAlarms() {
        guard !alarms.isEmpty else { return }
        let now = now()
        for alarm in alarms where alarm.deadline <= now {
            // An alarm before this one may have removed it.
            guard alarms.contains(where: { $0 === alarm }) else { continue }
            alarm.expired(now: now)
        }
    }

    private func arm(_ wake: Instant) throws(SystemError) {
        guard wake < armed else { return }
        // Zero would disarm, and the timer takes signed seconds.
        let expiry = min(max(wake.nanoseconds, 1), UInt64(Int64.max))
        _ = try SystemError.check(
            conclave_linux_timer_set(timer.number, expiry), "timerfd_settime")
        armed = wake
    }

    private func clearTimer() {
        _ = conclave_linux_timer_clear(timer.number)
        armed = .distantFuture
    }
}

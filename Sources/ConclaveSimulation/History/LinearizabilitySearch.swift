/// One object, as if one thing happened to it at a time.
protocol SequentialModel {
    associatedtype State: Hashable
    associatedtype Action

    /// The state after `action`; `nil`: it cannot happen to this state, or leads nowhere that
    /// matters.
    func step(_ action: Action, from state: State) -> State?
}

/// An action that happened at one point between two times.
struct TimedAction<Action> {
    var action: Action
    var invoked: UInt64
    /// `.max`: at any time from `invoked` on.
    var completed: UInt64
    /// It happened; else it may have, or not.
    var isRequired: Bool
}

/// Whether there is an order of actions, each at a point between its two times, that a model can go
/// through (Wing and Gong, "Testing and Verifying Concurrent Objects", 1993).
///
/// As Lowe ("Testing for linearizability", 2017) the search takes an action only when one that must
/// happen by then is due (just in time), and never visits a set of actions with the state it led to
/// twice. The action that is due first is tried first, those that may never have happened last, so
/// that histories without mistakes are walked through without a turn back. The work is bounded: what
/// takes more is undecided.
struct LinearizabilitySearch<Model: SequentialModel> {
    enum Verdict: Equatable {
        case linearizable
        /// However it is ordered, of that action at the latest there is no place.
        case violated(at: Int)
        case undecided
    }

    private struct Visited: Hashable {
        var actions: UInt64
        var state: Model.State
    }

    private struct Frame {
        var state: Model.State
        /// What may happen next, in the order in which it is tried.
        var candidates: [Int]
        var next = 0
        /// The action that led here.
        var taken: Int?
        /// Into `byCompletion`: all before it have happened.
        var due: Int
        var actions: UInt64
    }

    private let model: Model
    private let actions: [TimedAction<Model.Action>]
    private let byCompletion: [Int]
    private let maximumSteps: Int
    /// Those that have not happened yet, by invocation: a list linked both ways, with the end at
    /// `actions.count`.
    private var following: [Int]
    private var preceding: [Int]
    private var hasHappened: [Bool]
    private var visited: Set<Visited> = []
    private(set) var stepCount = 0

    init(
        _ model: Model, _ actions: [TimedAction<Model.Action>], maximumSteps: Int
    ) {
        self.model = model
        self.actions = actions
        self.maximumSteps = maximumSteps
        byCompletion = actions.indices.filter { actions[$0].isRequired }.sorted {
            (actions[$0].completed, $0) < (actions[$1].completed, $1)
        }
        let order = actions.indices.sorted {
            (actions[$0].invoked, $0) < (actions[$1].invoked, $1)
        }
        following = Array(repeating: actions.count, count: actions.count + 1)
        preceding = following
        hasHappened = Array(repeating: false, count: actions.count)
        var last = actions.count
        for index in order {
            following[last] = index
            preceding[index] = last
            last = index
        }
        following[last] = actions.count
        preceding[actions.count] = last
    }

    /// - Parameter initial: Before anything happened.
    mutating func run(from initial: Model.State) -> Verdict {
        guard !byCompletion.isEmpty else { return .linearizable }
        var stack = [frame(initial, due: 0, actions: 0, taken: nil)]
        var furthest = 0
        while !stack.isEmpty {
            let top = stack[stack.count - 1]
            guard top.next < top.candidates.count else {
                if let taken = stack.removeLast().taken { putBack(taken) }
                continue
            }
            let candidate = top.candidates[top.next]
            stack[stack.count - 1].next += 1
            stepCount += 1
            guard stepCount <= maximumSteps else { return .undecided }
            guard let state = model.step(actions[candidate].action, from: top.state) else {
                continue
            }
            let set = top.actions ^ Self.mark(candidate)
            guard visited.insert(Visited(actions: set, state: state)).inserted else { continue }
            take(candidate)
            let next = frame(state, due: top.due, actions: set, taken: candidate)
            guard next.due < byCompletion.count else { return .linearizable }
            furthest = max(furthest, next.due)
            stack.append(next)
        }
        return .violated(at: byCompletion[furthest])
    }

    private func frame(
        _ state: Model.State, due: Int, actions set: UInt64, taken: Int?
    ) -> Frame {
        var due = due
        while due < byCompletion.count, hasHappened[byCompletion[due]] { due += 1 }
        let candidates = due < byCompletion.count ? candidates(due: byCompletion[due]) : []
        return Frame(state: state, candidates: candidates, taken: taken, due: due, actions: set)
    }

    /// What began before the action that is due next is over.
    private func candidates(due: Int) -> [Int] {
        var required = [due]
        var optional: [Int] = []
        var index = following[actions.count]
        while index < actions.count, actions[index].invoked <= actions[due].completed {
            if actions[index].isRequired {
                if index != due { required.append(index) }
            } else {
                optional.append(index)
            }
            index = following[index]
        }
        return required + optional
    }

    private mutating func take(_ index: Int) {
        hasHappened[index] = true
        following[preceding[index]] = following[index]
        preceding[following[index]] = preceding[index]
    }

    /// - Precondition: what was taken later is put back already.
    private mutating func putBack(_ index: Int) {
        hasHappened[index] = false
        following[preceding[index]] = index
        preceding[following[index]] = index
    }

    /// A set of actions is known by the marks of all of them together (Zobrist).
    private static func mark(_ index: Int) -> UInt64 {
        var mark = (UInt64(index) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mark = (mark ^ (mark >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mark = (mark ^ (mark >> 27)) &* 0x94D0_49BB_1331_11EB
        return mark ^ (mark >> 31)
    }
}

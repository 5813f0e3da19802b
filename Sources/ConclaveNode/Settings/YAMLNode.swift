import CConclaveYAML

/// A value of a YAML file with its place. Anchors, aliases and merge keys are refused: a
/// configuration says what it means once, and none can grow when it is read.
struct YAMLNode {
    enum Content {
        case text(String)
        case list([YAMLNode])
        case map([(key: YAMLNode, value: YAMLNode)])
    }

    struct Fault: Error {
        var position: TextPosition
        var message: String
    }

    static let maximumDepth = 16

    var content: Content
    var position: TextPosition

    /// The one document of a file; nothing for a file without one.
    static func read(_ bytes: [UInt8]) throws(Fault) -> YAMLNode? {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Fault) in
            guard let start = buffer.baseAddress else { return nil }
            var events = unsafe YAMLEvents(start, byteCount: buffer.count)
            return try document(&events)
        }
    }

    private static func document(_ events: inout YAMLEvents) throws(Fault) -> YAMLNode? {
        guard try events.next().kind != CONCLAVE_YAML_END else { return nil }
        let first = try events.next()
        let node = try value(first, &events, depth: 0)
        // The end of the document, then of the file.
        _ = try events.next()
        let after = try events.next()
        guard after.kind == CONCLAVE_YAML_END else {
            throw Fault(position: after.position, message: "a second document is not expected")
        }
        return node
    }

    private static func value(
        _ event: YAMLEvents.Event, _ events: inout YAMLEvents, depth: Int
    ) throws(Fault) -> YAMLNode {
        guard depth < maximumDepth else {
            throw Fault(position: event.position, message: "nested deeper than \(maximumDepth)")
        }
        switch event.kind {
        case CONCLAVE_YAML_SCALAR:
            return YAMLNode(content: .text(event.text), position: event.position)
        case CONCLAVE_YAML_SEQUENCE_START:
            return try list(event.position, &events, depth: depth)
        case CONCLAVE_YAML_MAPPING_START:
            return try map(event.position, &events, depth: depth)
        default:
            throw Fault(position: event.position, message: "aliases are not supported")
        }
    }

    private static func list(
        _ position: TextPosition, _ events: inout YAMLEvents, depth: Int
    ) throws(Fault) -> YAMLNode {
        var elements: [YAMLNode] = []
        while true {
            let event = try events.next()
            if event.kind == CONCLAVE_YAML_SEQUENCE_END { break }
            elements.append(try value(event, &events, depth: depth + 1))
        }
        return YAMLNode(content: .list(elements), position: position)
    }

    private static func map(
        _ position: TextPosition, _ events: inout YAMLEvents, depth: Int
    ) throws(Fault) -> YAMLNode {
        var entries: [(key: YAMLNode, value: YAMLNode)] = []
        while true {
            let event = try events.next()
            if event.kind == CONCLAVE_YAML_MAPPING_END { break }
            let key = try value(event, &events, depth: depth + 1)
            let next = try events.next()
            entries.append((key, try value(next, &events, depth: depth + 1)))
        }
        return YAMLNode(content: .map(entries), position: position)
    }
}

/// libyaml's events, one after the other. The bytes must outlive it.
@safe private struct YAMLEvents: ~Copyable {
    struct Event {
        var kind: Int
        var text: String
        var position: TextPosition
    }

    private let parser: OpaquePointer?

    init(_ bytes: UnsafePointer<UInt8>, byteCount: Int) {
        unsafe parser = conclave_yaml_open(bytes, byteCount)
    }

    deinit {
        if let parser = unsafe parser { unsafe conclave_yaml_close(parser) }
    }

    mutating func next() throws(YAMLNode.Fault) -> Event {
        guard let parser = unsafe parser else {
            throw YAMLNode.Fault(position: .start, message: "no memory to read it")
        }
        var raw = unsafe conclave_yaml_event()
        unsafe conclave_yaml_next(parser, &raw)
        let position = unsafe TextPosition(line: Int(raw.line) + 1, column: Int(raw.column) + 1)
        let bytes = unsafe UnsafeBufferPointer(start: raw.text, count: raw.text_byte_count)
        let text = unsafe String(decoding: bytes, as: UTF8.self)
        guard unsafe raw.kind != CONCLAVE_YAML_ERROR else {
            throw YAMLNode.Fault(position: position, message: text)
        }
        return Event(kind: unsafe Int(raw.kind), text: text, position: position)
    }
}

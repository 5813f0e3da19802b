import ConclaveBase
import Testing

@Suite struct `Object names` {
    @Test func `a name keeps its text, levels and all`() throws {
        #expect(try ObjectName("db/migrate ü").text == "db/migrate ü")
    }

    @Test func `what is empty, too long or has a control character is refused with the place`() {
        #expect(throws: ObjectName.Fault.empty) { try ObjectName("") }
        #expect(throws: ObjectName.Fault.tooLong(byteCount: 256)) {
            try ObjectName(String(repeating: "ü", count: 128))
        }
        #expect(throws: ObjectName.Fault.controlCharacter(offset: 3)) { try ObjectName("abc\n") }
        #expect(throws: ObjectName.Fault.controlCharacter(offset: 2)) { try ObjectName("ü\u{7F}") }
    }

    @Test func `a name of exactly 255 bytes is taken`() throws {
        #expect(try ObjectName(String(repeating: "x", count: 255)).text.utf8.count == 255)
    }

    @Test func `names that only look alike are different, and are ordered by bytes`() throws {
        let composed = try ObjectName("\u{E9}")
        let decomposed = try ObjectName("e\u{301}")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
        #expect(try ObjectName("a") < ObjectName("a/b"))
    }
}

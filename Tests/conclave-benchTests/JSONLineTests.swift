import Testing

@testable import conclave_bench

@Suite struct `A line of JSON` {
    @Test func `is one object without others`() throws {
        let line = try JSONLine(
            #" { "a" : "x\"\\\/\n\u00e9\ud83d\ude00" , "b":-1.5e2,"c":true, "d":null,"e":0 } "#)
        #expect(line.text("a") == "x\"\\/\né😀")
        #expect(line.number("b") == -150)
        #expect(line["c"] == .truth(true))
        #expect(line["d"] == .null)
        #expect(line.number("e") == 0)
        #expect(line["f"] == nil)
        #expect(line.number("a") == nil && line.text("b") == nil)
        #expect(try JSONLine("{}").members.isEmpty)
    }

    @Test(arguments: [
        "", "x", "{", "}", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1}x",
        "{\"a\":1}{\"b\":2}", "{a:1}", "{\"a\":nan}", "{\"a\":inf}", "{\"a\":0x10}", "{\"a\":+1}",
        "{\"a\":1e999}", "{\"a\":[1]}", "{\"a\":{}}", "{\"a\":\"b}", "{\"a\":\"\\q\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u+123\"}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\",
        "{\"a\":tru}",
    ])
    func `that is none is refused`(text: String) {
        #expect(throws: JSONLine.Fault.self) { try JSONLine(text) }
    }
}

@Suite struct `A file of figures` {
    private let good = #"{"system":"etcd","measure":"lock.solo.pair","unit":"us","p50":2}"#
    private let run = #"{"system":"etcd","measure":"run","unit":"","version":"3"}"#

    @Test func `has a figure a line; what is said of a run is none`() throws {
        let lines = try FigureFile.lines(of: "\(run)\n\n\(good)\r\n \n\(good)", named: "f")
        #expect(lines.map(\.main) == [2, 2])
    }

    @Test(arguments: [
        ("{\"a\":1", "not a JSON object"), ("{}", "\"system\" is missing"),
        (#"{"system":"etcd"}"#, "\"measure\" is missing"),
        (#"{"system":"etcd","measure":"m","p50":1}"#, "\"unit\" is missing"),
        (#"{"system":"etcd","measure":"m","unit":"us"}"#, "neither \"p50\" nor \"value\""),
        (#"{"system":"etcd","measure":"m","unit":"us","p50":"1"}"#, "neither"),
        (#"{"system":5,"measure":"m","unit":"us","p50":1}"#, "\"system\" is missing"),
    ])
    func `is named, with the line that is wrong`(line: String, what: String) throws {
        let failure = #expect(throws: BenchFailure.self) {
            try FigureFile.lines(of: "\(run)\n\(good)\n\(line)\n", named: "some/file")
        }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("some/file:3: "))
        #expect(message.contains(what), "\(message)")
        #expect(failure?.code == 65)
    }

    @Test func `that is not there is named, too`() throws {
        let failure = #expect(throws: BenchFailure.self) {
            try FigureFile.lines(in: "/nowhere/figures")
        }
        #expect(failure?.message == "cannot read /nowhere/figures: No such file or directory")
        #expect(failure?.code == 66)
    }
}

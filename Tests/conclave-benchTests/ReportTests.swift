import Testing

@testable import conclave_bench

@Suite struct `A line of figures` {
    @Test(arguments: [
        (0, "0.00"), (1.005, "1.00"), (0.999, "1.00"), (-0.5, "-0.50"), (-0.001, "0.00"),
        (123_456.789, "123456.79"), (1e30, "1e+30"),
    ])
    func `has numbers with two digits after the point`(number: Double, text: String) {
        #expect(Field("a", .number(number)).json == "\"a\":\(text)")
    }

    @Test func `has text as JSON wants it`() {
        let field = Field("how", .text("a \"b\" \\ \n\u{1}é"))
        #expect(field.json == #""how":"a \"b\" \\ \u000a\u0001é""#)
    }

    @Test func `is read as it was printed`() throws {
        let fields = [
            Field("system", .text("conc\"lave\t")), Field("n", .count(3)),
            Field("p50", .number(-1.25)),
        ]
        let line = try JSONLine(Report.object(fields))
        #expect(line.text("system") == "conc\"lave\t")
        #expect(line.number("n") == 3)
        #expect(line.number("p50") == -1.25)
    }
}

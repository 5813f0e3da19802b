import Conclave

/// Asks for things and prints them: with `--json` one object a line, else as one table.
func list<Item>(
    _ common: CommonOptions, local: Bool = false, json: @escaping @Sendable (Item) -> JSON,
    table: @escaping @Sendable ([Item]) -> String,
    _ items: @escaping @Sendable (Conclave) async throws -> [Item]
) throws {
    let isJSON = common.json
    try ask(common, local: local) { conclave in
        let items = try await items(conclave)
        if isJSON {
            for item in items { Output.standard(json(item).description) }
        } else {
            Output.standard(table(items))
        }
    }
}

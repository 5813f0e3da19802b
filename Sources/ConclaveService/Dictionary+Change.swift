extension Dictionary {
    /// Changes a value where it lies, if it is there. A large one is looked at in this way, too: it is
    /// searched once, and not copied.
    mutating func change<Result>(_ key: Key, _ body: (inout Value) -> Result) -> Result? {
        guard let index = index(forKey: key) else { return nil }
        return body(&values[index])
    }
}

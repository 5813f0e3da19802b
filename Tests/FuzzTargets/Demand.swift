/// Ends the run if a promise is broken; in a release build, too, it says which one.
func demand(_ isKept: Bool, _ whatIsWrong: @autoclosure () -> String) {
    if !isKept { broken(whatIsWrong()) }
}

func broken(_ whatIsWrong: String) -> Never {
    fatalError(whatIsWrong)
}

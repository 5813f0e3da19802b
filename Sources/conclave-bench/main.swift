import ArgumentParser
import Glibc

exit(BenchProgram.run())

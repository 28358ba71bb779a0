"""taptest: runs the unittest test cases of a file and prints TAP, for make check.

A test file ends with

    if __name__ == "__main__":
        taptest.run()

and takes the names of single tests (Case.test_method) as arguments.
"""

import os
import signal
import sys
import unittest

# What takes longer hangs, on the slowest machine and under the sanitizers too.
TEST_SECONDS = 120


class TapResult(unittest.TestResult):
    """Prints a line for each test after its clean-up; what went wrong stands below it."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.passed = True

    def startTest(self, test):
        self.print_problems()
        super().startTest(test)
        signal.alarm(TEST_SECONDS)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)
        verdict = "not ok" if self.errors or self.failures or self.unexpectedSuccesses else "ok"
        skip = f" # SKIP {self.skipped.pop()[1]}" if self.skipped else ""
        print(f"{verdict} {self.testsRun} - {test.id().removeprefix('__main__.')}{skip}",
              file=self.out)
        self.print_problems()

    def print_problems(self):
        """Those of the last test; before the first of a class, those of setUpClass."""
        problems = self.errors + self.failures
        problems += [(test, "unexpected success") for test in self.unexpectedSuccesses]
        for test, text in problems:
            self.passed = False
            for line in [test.id(), *text.splitlines()]:
                print("#", line, file=self.out)
        for reported in self.errors, self.failures, self.unexpectedSuccesses:
            reported.clear()
        self.out.flush()


def on_alarm(_signal, _frame):
    raise TimeoutError(f"the test took more than {TEST_SECONDS} s")


def run(module="__main__"):
    """Runs the test cases of module, or those that the command line names, and exits."""
    # Standard output is for TAP alone: what tests and their children print goes to the log.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, on_alarm)
    loader = unittest.defaultTestLoader
    names = sys.argv[1:]
    if names:
        suite = loader.loadTestsFromNames(names, sys.modules["__main__"])
    else:
        suite = loader.loadTestsFromModule(
            sys.modules[module] if isinstance(module, str) else module)
    print(f"1..{suite.countTestCases()}", file=out)
    result = TapResult(out)
    suite.run(result)
    result.print_problems()
    sys.exit(0 if result.passed else 1)

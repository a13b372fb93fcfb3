"""Knows the expected answers, and asks the tested program in another sandbox for its own.

Standard input: a line with the task, then one line per answer. Standard output: `?` and packed
arguments for a question, at last `!` and the verdict.
"""
import builtins
import json
import os
import re
import reprlib
import sys

told = os.fdopen(os.dup(0), "rb")
say = os.fdopen(os.dup(1), "wb")
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


def verdict(kind, why="", case=None):
    """Says how it ends, and ends. No test can catch this, unlike an exception."""
    # Halves of characters are no text, and where objects lie differs from run to run.
    why = re.sub("0x[0-9a-f]{6,}", "0x…", why[:400].encode("utf-8", "backslashreplace").decode())
    say.write(b"!" + json.dumps({"kind": kind, "why": why, "case": case}).encode() + b"\n")
    say.flush()
    os._exit(0)


class Candidate:
    """The tested function, as far as a test can tell."""

    def __init__(self, name):
        self.__name__ = name
        self.asked = 0

    def __call__(self, *arguments, **named):
        self.asked += 1
        say.write(b"?" + json.dumps(pack([list(arguments), named])).encode() + b"\n")
        say.flush()
        line = told.readline()
        try:
            # The only integers that come as such are signals.
            said = json.loads(line, parse_int=lambda digits: int(digits[:3]))
            if "value" in said:
                return unpack(said["value"])
            kind, text = said.get("raised"), str(said.get("text"))
            error = vars(builtins).get(kind)
        except MemoryError:
            self.ends("raised", "MemoryError")
        except Exception:
            self.ends("no-data")
        if "gone" in said:
            self.ends("gone", str(said["gone"]))
        if kind is None:
            self.ends("no-data", str(said.get("odd", "")))
        # A test may expect an exception of the function. Of these, one is the end of the program,
        # and the others would end a loop of the test that is not over.
        ends = (MemoryError, StopIteration, StopAsyncIteration)
        is_ordinary = isinstance(error, type) and issubclass(error, Exception) and error not in ends
        if "unloaded" in said or not is_ordinary:
            self.ends("raised", f"{kind}: {text}")
        try:
            error = error(text)
        except TypeError:  # the few with more arguments
            error = RuntimeError(text)
        raise error

    def ends(self, kind, why=""):
        """The program is at its end, whatever the test would make of it."""
        verdict(kind, why, self.asked - 1)


def cases(task, candidate):
    """Each case by itself: the answer equals the expected value, or its text if it has none."""
    inputs = []
    for number, given in enumerate(task["inputs"]):
        try:
            inputs.append(tuple(eval(given, {})))
        except Exception as error:
            verdict("broken", f"test input {number} is no expression: {error}")
    for number, (given, expected) in enumerate(zip(inputs, task["outputs"])):
        try:
            value = candidate(*given)
        except Exception as error:
            verdict("raised", f"{type(error).__name__}: {error}", number)
        try:
            same = value == eval(expected, {})
        except Exception:
            same = value == expected
        if not same and not (task["rule"] == "cases-or-text" and value == expected):
            why = f"returned {short(value, shown.repr)}, expected {short(expected)}"
            verdict("wrong", why, number)


def check(task, candidate):
    """The task's own test, which sees the prompt's helpers and the candidate under its name."""
    names = {"__name__": "judge"}
    try:
        exec(compile(task["prompt"], "prompt.py", "exec"), names)
        names[task["entry_point"]] = candidate
        exec(compile(task["test"], "test.py", "exec"), names)
        run = names["check"]
    except Exception as error:
        verdict("broken", f"{type(error).__name__}: {error}")
    try:
        run(candidate)
    except AssertionError as error:
        kind, why = "wrong", f"assertion failed: {short(error)}"
    except BaseException as error:
        kind, why = "raised", f"{type(error).__name__}: {short(error)}"
    else:
        if candidate.asked:
            return
        kind, why = "broken", "its test does not call the function"
    verdict(kind, why, candidate.asked - 1)


def short(value, text=str):
    """`value` for a message."""
    try:
        shown = text(value)
    except Exception:
        shown = "something that cannot be shown"
    return shown if len(shown) <= 100 else shown[:97] + "..."


# Texts of values, those of sets in order.
shown = reprlib.Repr()
for name in [name for name in vars(shown) if name.startswith("max")]:
    setattr(shown, name, 100)
task = json.loads(told.readline())
proxy = Candidate(task["entry_point"])
(check if task["rule"] == "check" else cases)(task, proxy)
verdict("passed")

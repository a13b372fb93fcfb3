"""Knows the expected answers, and asks the tested program in another sandbox for its own.

Standard input: a line with the task, then one line per answer. Standard output: `?` and packed
arguments for a question, at last `!` and the verdict.
"""
import builtins
import json
import os
import sys

os.closerange(3, 1 << 16)
told = os.fdopen(os.dup(0), "rb")
say = os.fdopen(os.dup(1), "wb")
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


class Ended(BaseException):
    """The verdict is known. No test catches this, unlike an exception."""


def verdict(kind, **details):
    """Says how it ends, and ends."""
    say.write(b"!" + json.dumps({"kind": kind, **details}).encode() + b"\n")
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
        if not line:
            raise Ended("no-answer", "")
        try:
            said = json.loads(line)
            if "value" in said:
                return unpack(said["value"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, NotPlain):
            raise Ended("no-data", "") from None
        if "gone" in said:
            raise Ended("gone", str(said["gone"]))
        if "raised" in said:
            kind = getattr(builtins, str(said["raised"]), None)
            text = str(said.get("text"))
            if isinstance(kind, type) and issubclass(kind, Exception):
                try:
                    error = kind(text)
                except TypeError:  # the few with more arguments
                    error = RuntimeError(text)
                raise error
            raise Ended("raised", f"{said['raised']}: {text}")
        raise Ended("no-data", str(said.get("odd")))


def cases(task, candidate):
    """Each case by itself: the answer equals the expected value, or its text if it has none."""
    for number, (given, expected) in enumerate(zip(task["inputs"], task["outputs"])):
        try:
            arguments = tuple(eval(given, {}))
        except Exception as error:
            verdict("broken", why=f"test input {number} is no expression: {error}")
        try:
            value = candidate(*arguments)
        except Ended as ended:
            verdict(ended.args[0], why=ended.args[1], case=number)
        except Exception as error:
            verdict("raised", why=f"{type(error).__name__}: {error}", case=number)
        try:
            same = value == eval(expected, {})
        except Exception:
            same = value == expected
        if not same and not (task["rule"] == "cases-or-text" and value == expected):
            why = f"returned {short(value)}, expected {short(expected, str)}"
            verdict("wrong", why=why, case=number)


def check(task, candidate):
    """The task's own test, which sees the prompt's helpers and the candidate under its name."""
    names = {"__name__": "judge"}
    try:
        exec(compile(task["prompt"], "prompt.py", "exec"), names)
        names[task["entry_point"]] = candidate
        exec(compile(task["test"], "test.py", "exec"), names)
        run = names["check"]
    except Exception as error:
        verdict("broken", why=f"{type(error).__name__}: {error}")
    try:
        run(candidate)
        return
    except Ended as ended:
        kind, why = ended.args
    except AssertionError as error:
        kind, why = "wrong", f"assertion failed: {short(error, str)}"
    except BaseException as error:
        kind, why = "raised", f"{type(error).__name__}: {short(error, str)}"
    verdict(kind, why=why, case=candidate.asked - 1)


def short(value, text=repr):
    """`value` for a message."""
    try:
        shown = text(value)
    except Exception:
        shown = "something that cannot be shown"
    return shown if len(shown) <= 100 else shown[:97] + "..."


task = json.loads(told.readline())
proxy = Candidate(task["entry_point"])
(check if task["rule"] == "check" else cases)(task, proxy)
verdict("passed")

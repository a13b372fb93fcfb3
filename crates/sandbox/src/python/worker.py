"""Answers questions with the tested program, which only ever runs in children of this process.

Standard input: a line with the program, then one line of packed arguments per question. Standard
output: one line per answer. What the program prints goes to standard error.
"""
import json
import os
import signal
import time

questions = os.fdopen(os.dup(0), "rb")
answers = os.dup(1)
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.dup2(2, 1)
os.close(null)


def send(line, to):
    """All of `line`; a pipe may take it in pieces."""
    while line:
        line = line[os.write(to, line) :]


def answer(call, line):
    """What the program says to one question, as the dictionary that is sent."""
    arguments, named = unpack(json.loads(line))
    try:
        return {"value": pack(call(*arguments, **named))}
    except NotPlain as error:
        return {"odd": str(error)[:200]}
    except BaseException as error:
        return raised(error)


def raised(error):
    """An exception; the program may raise anything, and so may its own texts."""
    try:
        text = str(error)[:200]
    except BaseException:
        text = ""
    return {"raised": type(error).__name__[:100], "text": text}


def tested(task, heard, said):
    """The child: runs the program, then answers until the questions end."""
    names = {"__name__": "program"}
    failed = None
    try:
        exec(compile(task["source"], "program.py", "exec"), names)
        call = names[task["entry_point"]]
    except BaseException as error:
        failed = {"unloaded": True, **raised(error)}
    with os.fdopen(heard, "rb") as lines:
        for line in lines:
            send(json.dumps(failed or answer(call, line)).encode() + b"\n", said)


def start(task):
    """A child with the program: its process, the pipe to it, and the pipe from it."""
    heard, ask = os.pipe()
    hear, said = os.pipe()
    child = os.fork()
    if child == 0:
        questions.close()
        for end in (ask, hear, answers):
            os.close(end)
        try:
            tested(task, heard, said)
        finally:
            os._exit(0)
    os.close(heard)
    os.close(said)
    return child, ask, os.fdopen(hear, "rb")


def stop(child, ask, hear, alone, scratch):
    """Ends a child that has answered, and all that it left: other processes, files."""
    os.close(ask)
    hear.close()
    end(child)
    os.waitpid(child, 0)
    # Without a namespace, this would reach the user's own processes.
    while alone and end(-1):
        time.sleep(0.0005)
    empty(scratch)


def end(process):
    """Kills; whether there was something to kill."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def empty(top):
    """Removes all in `top`, of any depth: folders are moved up until no path is too long."""
    os.chmod(top, 0o700)
    moved = 0
    while names := os.listdir(top):
        for folder in (os.path.join(top, name) for name in names):
            if not holds(folder):
                os.unlink(folder)
                continue
            for inner in (os.path.join(folder, name) for name in os.listdir(folder)):
                if not holds(inner):
                    os.unlink(inner)
                    continue
                while os.path.lexists(place := os.path.join(top, str(moved))):
                    moved += 1
                os.rename(inner, place)
            os.rmdir(folder)


def holds(path):
    """Whether it is a folder, which can then be changed."""
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    os.chmod(path, 0o700)
    return True


def serve():
    """Question by question; a fresh child for each where the task says so."""
    task = json.loads(questions.readline())
    fresh, alone, scratch = task["fresh"], task["alone"], task["scratch"]
    running = None
    for line in questions:
        running = running or start(task)
        try:
            send(line, running[1])
            said = running[2].readline()
        except OSError:
            said = b""
        if not said.endswith(b"\n"):
            # The pipe ends before the process does: it is about to be gone by itself.
            _, status = os.waitpid(running[0], 0)
            ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            said = json.dumps({"gone": ended}).encode() + b"\n"
            os.close(running[1])
            running[2].close()
            running = None
        send(said, answers)
        if running and fresh:
            stop(*running, alone, scratch)
            running = None


serve()

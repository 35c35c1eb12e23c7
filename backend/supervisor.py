"""A small process tree: children are started, watched, started again, and ended with their whole group."""

import ctypes
import os
import selectors
import signal
import subprocess  # to run our own processes # nosec B404
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

_TURN_SECONDS = 0.2
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
# A child that lived this long was sound; its next death starts from the first pause again.
_SOUND_SECONDS = 30.0
_HOPELESS_FAILURES = 4
_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):  # noqa: N818 - it says what is wrong
    """A child cannot be started, or keeps dying before the system is up."""


@dataclass(eq=False)
class Child:
    """One process to keep alive; ``stop_seconds`` is how long it may take to end by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float = 8.0
    runs_our_code: bool = True
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0
    unfinished_line: bytes = field(default=b"", repr=False)


class Supervisor:
    """Keep children alive until a signal ends them all, the last started first.

    One thread and one loop: a thread beside it could not fork safely, and the kernel would take its
    end for the end of the parent.
    """

    def __init__(self, folder: Path, write: Callable[[str], None]) -> None:
        self._folder = folder
        self._write = write
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._name_width = 0

    @property
    def is_stopping(self) -> bool:
        """Whether a signal asked for the end."""
        return self._signals > 0

    def listen_for_signals(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to end; a second one hurries."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def start(self, child: Child) -> None:
        """Start a child in a session of its own, and watch it from now on.

        A terminal's Ctrl-C reaches the parent only, which then ends the children in order.

        Raises:
            ChildFailed: its program cannot be run.

        """
        if child not in self._children:
            self._children.append(child)
            self._name_width = max(self._name_width, len(child.name))
        parent = os.getpid()
        try:
            child.process = subprocess.Popen(  # noqa: S603 - the commands are ours # nosec B603
                child.command,
                cwd=self._folder,
                env=child.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _end_with(parent),  # noqa: PLW1509 - this process has one thread
            )
        except OSError as error:
            raise ChildFailed(f"{child.name} cannot be started: {error}.") from error
        child.started_at = time.monotonic()
        child.start_again_at = 0.0
        output = _output(child)
        os.set_blocking(output.fileno(), False)
        self._selector.register(output, selectors.EVENT_READ, child)

    def run_to_end(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Run a process that comes to an end, and give what it printed; its errors go straight out.

        Raises:
            ChildFailed: it ended with a status other than 0.

        """
        parent = os.getpid()
        with subprocess.Popen(  # noqa: S603 - the commands are ours # nosec B603
            command,
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: _end_with(parent),  # noqa: PLW1509 - this process has one thread
        ) as process:
            while process.poll() is None:
                self.turn()
                if self.is_stopping:
                    process.terminate()
            printed = process.stdout.read().decode(errors="replace") if process.stdout else ""
        if process.returncode and not self.is_stopping:
            raise ChildFailed(
                f"{name} ended with status {process.returncode}; the lines above say why."
            )
        return printed

    def turn(self) -> None:
        """Pass on what the children said, and start again who died."""
        self._pass_on_output(_TURN_SECONDS)
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._on_death(child)
            elif (
                child.start_again_at
                and time.monotonic() >= child.start_again_at
                and not self.is_stopping
            ):
                self.start(child)

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Take turns until the system is ready, or a signal ends it.

        Raises:
            ChildFailed: a child keeps dying, or the time is over.

        """
        deadline = time.monotonic() + seconds
        while not self.is_stopping and not is_ready():
            self.turn()
            hopeless = next(
                (child for child in self._children if child.failures >= _HOPELESS_FAILURES), None
            )
            if hopeless is not None:
                raise ChildFailed(f"{hopeless.name} keeps dying; its lines above say why.")
            if time.monotonic() > deadline:
                raise ChildFailed(
                    f"The system did not answer within {seconds:.0f} s; the lines above may say why."
                )

    def restart(self) -> None:
        """End the children that run our code and start them again, on the code as it is now."""
        ours = [child for child in self._children if child.runs_our_code]
        self._end(ours)
        for child in ours:
            child.failures = 0
            self.start(child)

    def stop(self) -> None:
        """End all children: those that run our code together, then what they stand on."""
        self._end([child for child in self._children if child.runs_our_code])
        self._end([child for child in self._children if not child.runs_our_code])

    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            child.start_again_at = 0.0
            if child.process is not None:
                # The leader ends its own workers in good order; the group gets SIGKILL below.
                child.process.terminate()
        asked_at, signals = time.monotonic(), self._signals
        while running := [child for child in children if child.process is not None]:
            in_a_hurry = self._signals > max(signals, 1)
            for child in running:
                if child.process is not None and child.process.poll() is not None:
                    self._forget(child)
                elif in_a_hurry or time.monotonic() > asked_at + child.stop_seconds:
                    _kill_group(child)
            self._pass_on_output(_TURN_SECONDS / 4)

    def _on_death(self, child: Child) -> None:
        status = child.process.returncode if child.process is not None else 0
        child.failures = (
            1 if time.monotonic() - child.started_at > _SOUND_SECONDS else child.failures + 1
        )
        self._forget(child)
        if self.is_stopping:
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (child.failures - 1), _LONGEST_PAUSE_SECONDS)
        child.start_again_at = time.monotonic() + pause
        reason = (
            f"was ended by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with status {status}"
        )
        self._say(child, f"{reason}; starting it again in {pause:.1f} s")

    def _forget(self, child: Child) -> None:
        # What the leader left behind would hold its port, or work beside the next one.
        _kill_group(child)
        output = _output(child)
        self._pass_on(child)
        if child.unfinished_line:
            self._say(child, child.unfinished_line.decode(errors="replace"))
            child.unfinished_line = b""
        self._selector.unregister(output)
        output.close()
        child.process = None

    def _pass_on_output(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            if self._pass_on(key.data) == b"":
                # Closed by a child that is about to end: else select would return at once for ever.
                time.sleep(_TURN_SECONDS / 10)

    def _pass_on(self, child: Child) -> bytes | None:
        said: bytes | None = _output(child).read()
        if said:
            *lines, child.unfinished_line = (child.unfinished_line + said).split(b"\n")
            for line in lines:
                self._say(child, line.decode(errors="replace").rstrip())
        return said

    def _say(self, child: Child, line: str) -> None:
        self._write(f"{child.name:<{self._name_width}} | {line}")


def _output(child: Child) -> IO[bytes]:
    if child.process is None or child.process.stdout is None:
        raise RuntimeError(f"{child.name} is not running.")
    return child.process.stdout


def _kill_group(child: Child) -> None:
    if child.process is not None:
        # PermissionError is what macOS answers for a group of zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)


def _end_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent is gone, however it went."""
    if sys.platform != "linux":
        return
    # SIGTERM, since the leader must end its own workers, who do not inherit this.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)

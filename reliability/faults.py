"""The troubles, one function each: what is done to processes that watch, before they may bring it to an end."""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from subprocess import run as command

from reliability.bench import SQLITE, Bench
from reliability.child import COURIER, LOOP
from reliability.life import Life
from reliability.receiver import Manner
from reliability.results import Outcome
from reliability.site import AT_ONCE, Site

_LONGEST_LIFE_SECONDS = 1.2
_STEP_SECONDS = 15.0
_KILLS_A_RUN = 25
_CLAIM_SECONDS = 400  # longer than a dead process keeps others from what it meant to deliver
_HOUR = 3600
_MOST_TO_STOP_SECONDS = 10.0


def random_kills(bench: Bench, store: str, kills: int, processes: int = 1) -> Outcome:
    """Killed at moments that nobody chose, again and again, while messages come."""
    together = f", {processes} processes together" if processes > 1 else ""
    outcome = Outcome(f"kill -9 at random moments{together}", store)
    rng = bench.random(outcome.name + store)
    while outcome.kills < kills:
        with bench.run(outcome, processes=processes) as site:
            most = min(_KILLS_A_RUN, kills - outcome.kills)
            while site.tally.kills < most:
                _one_dies(site, rng, processes, most)
    return outcome


def _one_dies(site: Site, rng: Random, processes: int, kills: int) -> None:
    site.raise_up(processes)
    victim = rng.choice(site.lives)
    if victim.is_ready():
        site.tell(rng.randint(1, 2 * len(site.trail.told) // kills))
        time.sleep(rng.uniform(0, _LONGEST_LIFE_SECONDS))
        site.kill(victim)
    site.skip(rng.randint(0, _CLAIM_SECONDS))


def each_step(bench: Bench, store: str, times: int) -> Outcome:
    """Killed between each step and the one before."""
    outcome = Outcome("kill -9 between each pair of steps", store)
    with bench.run(outcome) as site:
        share = 1 + len(site.trail.told) // (times * (len(LOOP) + len(COURIER)))
        site.receiver.manner = Manner.REFUSES
        for number, step in enumerate(LOOP * times):
            site.tell(share)
            _dies(site, (step, 1 + number // len(LOOP) % 2), outcome)
        for step in COURIER * times:
            site.tell(share)
            site.skip(_CLAIM_SECONDS)
            # What was handed over and never noted is handed over again.
            site.receiver.manner = Manner.TAKES if step in ("note", "noted") else Manner.LOSES
            _dies(site, (step, 1), outcome)
        site.receiver.manner = Manner.TAKES
    return outcome


def _dies(site: Site, before: tuple[str, int], outcome: Outcome) -> None:
    life = site.live(dies_before=before)
    life.is_ready()
    if life.ends_within(_STEP_SECONDS):
        site.bury(life)
        return
    outcome.notes.append(f"there was nothing to {before[0]} for the {before[1]}. time")
    site.kill(life)


def crash_loop(bench: Bench, store: str, crashes: int) -> Outcome:
    """The same messages in hand each time it dies; so often that whoever counts must think them to blame."""
    outcome = Outcome("crash loop with the same messages in hand", store)
    with bench.run(outcome) as site:
        site.tell(AT_ONCE)
        for _ in range(crashes):
            life = site.live(dies_before=("fold", 1))
            life.is_ready()
            if life.ends_within(_STEP_SECONDS):
                site.bury(life)
            else:
                site.kill(life)
            site.bring_back()
    return outcome


def disk_full(bench: Bench, folder: Path | None, times: int = 3) -> Outcome:
    """No room in the store for a while; on a file system of its own, where one is given, else by a limit."""
    outcome = Outcome("the disk full" if folder else "no file may grow", SQLITE)
    with bench.run(outcome, folder=folder) as site:
        share = len(site.trail.told) // (2 * times)
        for number in range(times):
            life = site.live()
            life.is_ready()
            site.tell(share)
            time.sleep(1)
            with _full(folder) if folder else _limited(life):
                site.tell(share)
                _sees_trouble(site, life)
            if number % 2:
                site.kill(life)
            else:
                site.stop()
    return outcome


def _sees_trouble(site: Site, life: Life) -> None:
    """Wait until it failed to write: it is at it again, and nothing was acknowledged meanwhile."""
    tried, done = life.times("absorb"), life.times("acknowledge")
    until = time.monotonic() + _STEP_SECONDS
    while life.times("absorb") < tried + 3 and not life.is_over:
        if life.times("acknowledge") > done:  # it had room for this one yet
            tried, done = life.times("absorb"), life.times("acknowledge")
        assert time.monotonic() < until, "there was room all the time"
        time.sleep(0.05)
        site.skip(10)


@contextmanager
def _limited(life: Life) -> Iterator[None]:
    _, most = resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (64 << 10, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        if not life.is_over:
            resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def _full(folder: Path) -> Iterator[None]:
    """Fill what is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of its own; None where this user may not have one."""
    folder.mkdir()
    options = f"size={megabytes}m"
    if command(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        command(["umount", folder], check=True)


def database_restarted(bench: Bench, store: str, times: int) -> Outcome:
    """The server is stopped at once, without a word to anybody, and begins again."""
    outcome = Outcome("the database stopped at once and started again", store)
    rng = bench.random(outcome.name)
    assert bench.postgres is not None
    with bench.run(outcome, processes=2) as site:
        for _ in range(times):
            site.raise_up(2)
            site.tell(1 + len(site.trail.told) // times)
            time.sleep(rng.uniform(0.2, 1.5))
            bench.postgres.stop()
            time.sleep(rng.uniform(0, 1.5))
            bench.postgres.start()
    return outcome


def sink_down(bench: Bench, store: str) -> Outcome:
    """Whom findings are told to is down for an hour, in each manner; detection goes on."""
    outcome = Outcome("the sinks down for an hour", store)
    for manner in (Manner.REFUSES, Manner.LOSES):
        with bench.run(outcome) as site:
            site.receiver.manner = manner
            site.raise_up(1)
            for _ in range(12):
                site.tell(1 + len(site.trail.told) // 12)
                site.skip(_HOUR // 12)
                time.sleep(0.3)
            site.receiver.manner = Manner.TAKES
    return outcome


def aws_fails(bench: Bench, store: str) -> Outcome:
    """The bucket answers 503 for a while, then the queue throttles, and acknowledging fails."""
    outcome = Outcome("the bucket answers 503, the queue throttles", store)
    with bench.run(outcome) as site:
        third = 1 + len(site.trail.told) // 3
        site.raise_up(1)
        site.tell(third)
        site.aws.refuse("GET /example", "SlowDown", "503 Slow Down", times=100)
        time.sleep(1)
        site.tell(third)
        for call in ("DeleteMessageBatch", "ChangeMessageVisibilityBatch", "ReceiveMessage"):
            site.aws.refuse(f"AmazonSQS.{call}", "ThrottlingException", "400 Bad Request", times=5)
        time.sleep(3)
    return outcome


def stopped(bench: Bench, store: str, times: int) -> Outcome:
    """Stopped as a supervisor does: it ends by itself, and what it had in hand comes again at once."""
    outcome = Outcome("SIGTERM with messages in hand", store)
    rng = bench.random(outcome.name)
    slowest = 0.0
    with bench.run(outcome) as site:
        for _ in range(times):
            life = site.live()
            life.is_ready()
            site.tell(1 + len(site.trail.told) // times)
            time.sleep(rng.uniform(0.1, 1))
            began = time.monotonic()
            site.stop()
            slowest = max(slowest, time.monotonic() - began)
            if site.messages()[1]:
                outcome.wrong.append("messages were kept in hand by a process that had stopped")
    if slowest > _MOST_TO_STOP_SECONDS:
        outcome.wrong.append(f"a process took {slowest:.1f} s to stop")
    outcome.notes.append(f"the slowest took {slowest:.1f} s to stop")
    return outcome


def frozen(bench: Bench, store: str) -> Outcome:
    """One of two processes stops moving, at a moment nobody chose, and later goes on as if nothing had been."""
    outcome = Outcome("a process frozen for a while, and going on", store)
    rng = bench.random(outcome.name)
    with bench.run(outcome, processes=2) as site:
        for _ in range(6):
            site.raise_up(2)
            victim = rng.choice(site.lives)
            victim.is_ready()
            site.tell(1 + len(site.trail.told) // 6)
            time.sleep(rng.uniform(0, 1))
            victim.signal(signal.SIGSTOP)
            time.sleep(rng.uniform(3, 5))
            victim.signal(signal.SIGCONT)
    return outcome

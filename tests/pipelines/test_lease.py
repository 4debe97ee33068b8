"""The refresh lease: one holder, whoever asks and from wherever; the dead are passed over, the living are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gallery.errors import Unavailable
from gallery.objects.base import TABLES, ObjectStore
from gallery.objects.memory import MemoryObjects
from gallery.services import Services
from gallery.settings import Settings
from pipelines import lock as lease
from pipelines.definitions import build_defs
from pipelines.lock import LeaseLost
from pipelines.runner import run_refresh
from tests.fakes.archives import artists_csv, picture, write_zip


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    yield MemoryObjects() if request.param == "memory" else TABLES.open(f"file://{tmp_path}/tables")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewals every few milliseconds."""
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    monkeypatch.setattr(lease, "LASTS_S", 0.4)
    monkeypatch.setattr(lease, "BETWEEN_STEPS_S", 0.8)


def holder_of(store: ObjectStore) -> lease.Holder:
    _, holder = lease.current(store)
    assert holder is not None
    return holder


def leave(store: ObjectStore, run: str, **given: Any) -> None:
    """The record of a run that took the lease and was never heard of again."""
    now = time.time()
    holder = replace(lease.Holder(run, "elsewhere", "another machine", 4711, now, now), **given)
    number, _ = lease.current(store)
    assert store.add(f"{lease.FOLDER}{number + 1:012d}.json", json.dumps(asdict(holder)).encode())


def test_a_second_run_is_refused_and_told_by_whom(store: ObjectStore) -> None:
    with (
        lease.held(store, "run-one"),
        pytest.raises(
            Unavailable, match=r"another refresh is running \(run run-one on .*, process \d+, since"
        ),
        lease.held(store, "run-two"),
    ):
        pass
    with lease.held(store, "run-two"):
        lease.check(store, "run-two")


def test_a_failed_run_gives_the_lease_back(store: ObjectStore) -> None:
    with pytest.raises(ZeroDivisionError), lease.held(store, "one"):
        raise ZeroDivisionError
    with lease.held(store, "two"):
        pass


def test_of_many_contenders_at_one_moment_one_wins(store: ObjectStore) -> None:
    start, done = threading.Barrier(8), threading.Barrier(8)

    def contend(n: int) -> bool:
        start.wait()
        try:
            with lease.held(store, f"run-{n}"):
                done.wait()
                return True
        except Unavailable:
            done.wait()
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(contend, range(8))) == 1


def test_of_many_contenders_for_a_dead_holders_lease_one_wins(store: ObjectStore) -> None:
    leave(store, "dead", machine=lease.machine(), pid=dead_pid())
    test_of_many_contenders_at_one_moment_one_wins(store)


def test_the_steps_of_one_run_share_it_and_none_of_them_gives_it_back(store: ObjectStore) -> None:
    with lease.held(store, "one"):
        for _ in range(2):
            with lease.held(store, "one"):
                pass
            lease.check(store, "one")


def test_a_run_whose_steps_are_anywhere_keeps_it_between_them(store: ObjectStore) -> None:
    with lease.held(store, "one", spread=True):
        assert holder_of(store).pid == 0
    assert holder_of(store).lasts == lease.BETWEEN_STEPS_S
    with pytest.raises(Unavailable, match="another refresh"), lease.held(store, "two"):
        pass
    with lease.held(store, "one", spread=True):
        pass
    lease.release(store, "two")  # not that run's to give
    lease.check(store, "one")
    lease.release(store, "one")
    with lease.held(store, "two"):
        pass


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_dead_process_of_this_machine_is_passed_over_at_once(store: ObjectStore) -> None:
    leave(store, "dead", machine=lease.machine(), pid=dead_pid())
    with lease.held(store, "next"):
        assert holder_of(store).run == "next"


def test_a_process_that_was_killed_but_not_collected_holds_nothing(store: ObjectStore) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    leave(store, "dead", machine=lease.machine(), pid=process.pid)
    with pytest.raises(Unavailable), lease.held(store, "next"):
        pass
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with lease.held(store, "next"):
        pass
    process.wait()


def test_the_number_of_a_dead_process_says_nothing_on_another_machine(store: ObjectStore) -> None:
    leave(store, "living", pid=dead_pid())
    with pytest.raises(Unavailable, match="another refresh"), lease.held(store, "next"):
        pass


def test_a_run_that_dagster_knows_to_be_over_is_passed_over_at_once(store: ObjectStore) -> None:
    leave(store, "over")
    with lease.held(store, "next", ended=lambda run: run == "over"):
        assert holder_of(store).run == "next"


def test_a_late_step_of_a_run_that_is_over_does_not_start(store: ObjectStore) -> None:
    with pytest.raises(LeaseLost, match="is over"), lease.held(store, "over", ended=lambda _: True):
        pass
    assert lease.current(store) == (0, None)


@pytest.mark.parametrize("renewed", [-10.0, 10_000_000.0], ids=["long ago", "in the future"])
def test_a_run_not_heard_of_is_watched_and_then_passed_over(
    store: ObjectStore, quick: None, renewed: float
) -> None:
    leave(store, "silent", renewed=time.time() + renewed, lasts=0.4)
    with lease.held(store, "next"):
        assert holder_of(store).run == "next"


@pytest.mark.parametrize("jump", [-10_000.0, 10_000.0])
def test_a_clock_that_jumps_takes_the_lease_from_nobody_who_lives(
    store: ObjectStore, quick: None, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    monkeypatch.setattr(lease, "machine", lambda: "one machine")
    with lease.held(store, "living"):
        monkeypatch.setattr(lease, "machine", lambda: "another machine")
        real = time.time
        ours = threading.current_thread()
        # The contender's clock only: the keeper of the living run goes by its own.
        monkeypatch.setattr(
            lease.time, "time", lambda: real() + (jump if threading.current_thread() is ours else 0.0)
        )
        with pytest.raises(Unavailable, match="another refresh"), lease.held(store, "next"):
            pass
        monkeypatch.undo()


def test_a_holder_that_was_passed_over_learns_of_it_and_takes_nothing_back(
    store: ObjectStore, quick: None
) -> None:
    with lease.held(store, "slow"), lease.held(store, "fast", ended=lambda run: run == "slow"):
        with pytest.raises(LeaseLost, match=r"\(slow\) does not hold .* that of run fast"):
            lease.check(store, "slow")
        threading.Event().wait(4 * lease.RENEW_S)  # time for several renewals by both keepers
        lease.check(store, "fast")
    assert holder_of(store).run == "fast" and holder_of(store).released


def test_a_record_that_cannot_be_read_is_passed_over_like_a_silent_run(
    store: ObjectStore, quick: None
) -> None:
    store.put(f"{lease.FOLDER}000000000007.json", b"{half")
    with lease.held(store, "next"):
        assert lease.current(store)[0] == 8


def test_old_records_are_cleared_away(store: ObjectStore) -> None:
    for n in range(lease.KEPT + 5):
        with lease.held(store, f"run-{n}"):
            pass
    assert len(store.sizes(lease.FOLDER)) == lease.KEPT
    assert lease.current(store)[0] == lease.KEPT + 5


def test_it_is_renewed_while_it_is_held(store: ObjectStore, quick: None) -> None:
    with lease.held(store, "one"):
        first = holder_of(store).renewed
        deadline = time.monotonic() + 10
        while holder_of(store).renewed == first and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        assert holder_of(store).renewed > first


class Gallery:
    """A small archive and its settings."""

    def __init__(self, root: Path, settings_with: Callable[..., Settings]) -> None:
        path = write_zip(root / "a.zip", {f"A/{n}.jpg": picture(n) for n in range(3)}, artists_csv(["A"]))
        self.settings = settings_with(dataset=f"file://{path}")

    def services(self) -> Services:
        return Services(self.settings)


@pytest.fixture
def gallery(tmp_path: Path, settings_with: Callable[..., Settings]) -> Gallery:
    return Gallery(tmp_path, settings_with)


def test_a_run_that_lost_the_lease_fails_before_it_publishes(gallery: Gallery) -> None:
    services = gallery.services()

    def usurp(progress: Any) -> None:
        if (progress.stage, progress.kind) == ("candidate", "done"):
            leave(services.tables, "usurper")

    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(Exception, match="does not hold the refresh lease, which is that of run usurper"),
    ):
        run_refresh(services, usurp, instance)
    assert services.vectors.live() is None


def test_live_alone_is_refused_while_a_refresh_runs(gallery: Gallery) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_refresh(gallery.services(), lambda _: None, instance)
        job = build_defs(gallery.services()).resolve_job_def("refresh")
        with lease.held(gallery.services().tables, "a refresh"):
            result = job.execute_in_process(
                instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey("live")]
            )
    assert not result.success


def test_two_processes_that_refresh_at_once_publish_one_build(gallery: Gallery, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "GALLERY_HOME": str(gallery.settings.home),
        "GALLERY_DATASET": gallery.settings.dataset,
        "GALLERY_ENCODER": "fake",
    }
    command = [sys.executable, "-c", "from gallery.cli import main; main()", "refresh", "--json"]
    both = [
        subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    ends = sorted(process.returncode for process in both)
    # Where one starts so late that the other is through, both succeed, one after the other.
    assert ends in ([0, 1], [0, 0])
    if ends == [0, 1]:
        refused = next(err for process, (_, err) in zip(both, said, strict=True) if process.returncode)
        assert "Error: another refresh is running (run " in refused and "Traceback" not in refused
    live = gallery.services().vectors.live()
    assert live is not None and live.works == 3

"""All topics together."""

from __future__ import annotations

from hueyio.testing.conformance.auditing import Auditing
from hueyio.testing.conformance.awaited import Awaited
from hueyio.testing.conformance.batches import Batches
from hueyio.testing.conformance.bells import Bells
from hueyio.testing.conformance.closing import Closing
from hueyio.testing.conformance.counting import Counting
from hueyio.testing.conformance.dead import Dead
from hueyio.testing.conformance.ending import Ending
from hueyio.testing.conformance.failed import Failed
from hueyio.testing.conformance.faults import Faults
from hueyio.testing.conformance.history import PastRuns
from hueyio.testing.conformance.interrupting import Interrupting
from hueyio.testing.conformance.keys import Keys
from hueyio.testing.conformance.latches import Latches
from hueyio.testing.conformance.leases import Leases
from hueyio.testing.conformance.limits import Limits
from hueyio.testing.conformance.listing import ListingTasks
from hueyio.testing.conformance.looking import Looking
from hueyio.testing.conformance.names import Names
from hueyio.testing.conformance.notices import Noticing
from hueyio.testing.conformance.ordering import Ordering
from hueyio.testing.conformance.pipelines import Pipelines
from hueyio.testing.conformance.processes import Processes
from hueyio.testing.conformance.producing import Producing
from hueyio.testing.conformance.progress import Pausing, Progressing
from hueyio.testing.conformance.retrying import Retrying
from hueyio.testing.conformance.settling import Settling
from hueyio.testing.conformance.suspects import Suspects
from hueyio.testing.conformance.waiting import Waiting

__all__ = ["StorageConformance"]


class StorageConformance(
    Producing,
    Ordering,
    Leases,
    Settling,
    Retrying,
    Suspects,
    Awaited,
    Bells,
    Waiting,
    Keys,
    Limits,
    Dead,
    Failed,
    PastRuns,
    Noticing,
    Looking,
    ListingTasks,
    Counting,
    Closing,
    Ending,
    Faults,
    Interrupting,
    Batches,
    Names,
    Processes,
    Latches,
    Pipelines,
    Progressing,
    Pausing,
    Auditing,
):
    """What every storage must do.

    Subclass it and say how your storage is built::

        class TestMine(StorageConformance):
            @pytest.fixture
            def recipe(self, tmp_path):
                return Recipe("package.module:Class", name="mine", filename=str(tmp_path / "mine.db"))

    Capabilities decide where storages may differ; there is nothing to switch off.
    """

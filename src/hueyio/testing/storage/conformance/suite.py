"""All topics together."""

from __future__ import annotations

from hueyio.testing.storage.conformance.auditing import Auditing
from hueyio.testing.storage.conformance.awaited import Awaited
from hueyio.testing.storage.conformance.batches import Batches
from hueyio.testing.storage.conformance.bells import Bells
from hueyio.testing.storage.conformance.closing import Closing
from hueyio.testing.storage.conformance.counting import Counting
from hueyio.testing.storage.conformance.dead import Dead
from hueyio.testing.storage.conformance.ending import Ending
from hueyio.testing.storage.conformance.failed import Failed
from hueyio.testing.storage.conformance.faults import Faults
from hueyio.testing.storage.conformance.history import PastRuns
from hueyio.testing.storage.conformance.interrupting import Interrupting
from hueyio.testing.storage.conformance.keys import Keys
from hueyio.testing.storage.conformance.large import LargeMessages
from hueyio.testing.storage.conformance.latches import Latches
from hueyio.testing.storage.conformance.leases import Leases
from hueyio.testing.storage.conformance.limits import Limits
from hueyio.testing.storage.conformance.listing import ListingTasks
from hueyio.testing.storage.conformance.looking import Looking
from hueyio.testing.storage.conformance.names import Names
from hueyio.testing.storage.conformance.notices import Noticing
from hueyio.testing.storage.conformance.ordering import Ordering
from hueyio.testing.storage.conformance.pipelines import Pipelines
from hueyio.testing.storage.conformance.processes import Processes
from hueyio.testing.storage.conformance.producing import Producing
from hueyio.testing.storage.conformance.progress import Pausing, Progressing
from hueyio.testing.storage.conformance.retrying import Retrying
from hueyio.testing.storage.conformance.settling import Settling
from hueyio.testing.storage.conformance.suspects import Suspects
from hueyio.testing.storage.conformance.waiting import Waiting

__all__ = ["StorageConformance"]


class StorageConformance(
    Producing,
    Ordering,
    LargeMessages,
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

"""Several processes that train one network together; the only file that speaks to torch.distributed.

Each process takes its share of every batch, and all take the same step with the sum of their gradients (DDP). Where a
network does not fit, each keeps but its share of weights and optimizer, too (FSDP2). The processes are those that torchrun started,
on any number of machines; or companions of this process, on this machine alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from onmal.data.batching import Batch
from onmal.errors import TrainingError
from onmal.shared_memory import SharedMemory

__all__ = [
    "READY",
    "Team",
    "form_team",
    "gathered",
    "join_team",
    "local_rank",
    "rank_from_torchrun",
    "shares_of",
    "sharing_cores",
    "size_from_torchrun",
    "whole",
]

# The others wait while the first validates; gloo notices a lost process at once.
PATIENCE = timedelta(hours=2)
READY = "ready"
JOIN = "from onmal.training.run import join; join()"


class Team:
    """The processes of a run, seen from one of them; alone unless told otherwise."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.memory: SharedMemory | None = None
        self.exchanging: list[DistributedDataParallel] = []

    @property
    def leads(self) -> bool:
        """Whether this is the process that validates, saves and speaks."""
        return self.rank == 0

    def wrap(self, loss: nn.Module, *, sharded: bool = False) -> nn.Module:
        """The loss module whose backward pass leaves the mean of all processes' gradients; same weights everywhere.

        Sharded, each layer's weights are gathered when it is their turn; tied tables stay in the root's group.
        """
        if self.size == 1:
            return loss
        where = next(loss.parameters()).device
        if sharded:
            mesh = init_device_mesh(where.type, (self.size,))
            stacks = [module for module in loss.modules() if isinstance(module, nn.ModuleList)]
            for part in (*(layer for layers in stacks for layer in layers), loss):
                fully_shard(part, mesh=mesh)
            return loss
        devices = [where] if where.type == "cuda" else None
        with warnings.catch_warnings():  # its newer name is not in every torch that we run on
            warnings.filterwarnings("ignore", ".*broadcast_buffers.*", FutureWarning)
            wrapped = DistributedDataParallel(
                loss, devices, broadcast_buffers=False, gradient_as_bucket_view=True
            )
        if self.memory and where.type == "cpu":
            wrapped.register_comm_hook(self.memory, lambda memory, bucket: memory.mean(bucket.buffer()))
        self.exchanging.append(wrapped)
        return wrapped

    def without_exchange(self, wrapped: nn.Module) -> AbstractContextManager[None]:
        """Gradients of a backward pass inside are kept for the next one outside: accumulation costs no messages."""
        if isinstance(wrapped, DistributedDataParallel):
            return wrapped.no_sync()
        return _unsynchronised(wrapped) if isinstance(wrapped, FSDPModule) else nullcontext()

    def share(self, batch: Batch) -> Batch:
        """This process's rows of a batch: every size-th, so that all have as many tokens; sentences are sorted by length.

        A process for which no row is left gets one of which nothing counts.
        """
        if self.size == 1:
            return batch
        rows = torch.arange(self.rank, len(batch.lengths), self.size)
        if not len(rows):
            return Batch(batch.source[:1], batch.target[:1], batch.lengths[:1] * 0, batch.pairs[:0])
        lengths = batch.lengths[rows]
        target = batch.target[rows, : int(lengths.max()) + 1]
        return Batch(batch.source[rows], target, lengths, batch.pairs[rows.numpy()])

    def shared_out(self, work: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        """`work(rows)`, of which each process does its part; it takes each row by itself and keeps its shape."""
        if self.size == 1:
            return work(rows)
        each = -(-len(rows) // self.size)
        mine = rows[self.rank * each : (self.rank + 1) * each]
        mine = torch.cat([work(mine), rows[: each - len(mine)]])  # the same number from all
        if self.memory and rows.device.type == "cpu":
            return self.memory.join(mine)[: len(rows)]
        parts = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(parts, mine)
        return torch.cat(parts)[: len(rows)]

    def sum(self, *values: float) -> list[float]:
        """The sums of the processes' values, the same in all."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total)
        return total.tolist()

    def of_the_first(self, *values: float) -> list[float]:
        """The first process's values, in all."""
        return self.sum(*(value if self.leads else 0.0 for value in values))

    def wait(self) -> None:
        """Until all are here."""
        self.sum(0.0)

    def part(self) -> None:
        """End the exchange of gradients, then the group.

        Were torch's reducer the last to hold the group, it would wait, with Python's lock held, for the group's threads;
        and these for that lock, where another process was lost: forever.
        """
        for wrapped in self.exchanging:
            del wrapped.reducer, wrapped.logger
        with suppress(RuntimeError):
            distributed.destroy_process_group()

    def bytes_of_the_first(self, content: bytes) -> bytes:
        """What the first process holds, in all."""
        if self.size == 1:
            return content
        (size,) = self.of_the_first(float(len(content)))
        buffer = torch.tensor(list(content if self.leads else bytes(int(size))), dtype=torch.uint8)
        distributed.broadcast(buffer, 0)
        return buffer.numpy().tobytes()


@contextmanager
def _unsynchronised(wrapped: FSDPModule) -> Iterator[None]:
    wrapped.set_requires_gradient_sync(False)
    yield
    wrapped.set_requires_gradient_sync(True)


def whole(tensor: Tensor) -> Tensor:
    """A tensor of which each process may hold a share, in one piece; all processes call this together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def gathered(tensor: Tensor) -> Tensor:
    """The same in the first process's main memory, one tensor after another; in the others nothing stays of it."""
    if not isinstance(tensor, DTensor):
        return tensor
    full = tensor.full_tensor()
    return full.cpu() if distributed.get_rank() == 0 else full.new_empty(0)


def shares_of(tensor: Tensor, like: Tensor) -> Tensor:
    """A tensor in one piece, spread over the processes as `like` is."""
    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)


def rank_from_torchrun() -> int | None:
    """Which process of the run this is, where torchrun or something like it says so; else None."""
    return int(os.environ["RANK"]) if size_from_torchrun() else None


def size_from_torchrun() -> int | None:
    """How many processes the run has, where torchrun or something like it says so; else None."""
    given = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    return int(os.environ["WORLD_SIZE"]) if given else None


def sharing_cores() -> int:
    """Among how many processes, which torchrun started, the cores are shared out that torch sees in each of them.

    OMP_NUM_THREADS is what each process has for itself; torchrun sets it to 1 unless told otherwise.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return 1
    return int(os.environ.get("LOCAL_WORLD_SIZE", size_from_torchrun() or 1))


def local_rank() -> int:
    """Which of its machine's processes this is, where torchrun says so."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def form_team(processes: int, task: Mapping[str, Any]) -> Iterator[Team]:
    """The team that torchrun started; else one of `processes` on this machine.

    Each companion calls `training.run.join`, which gets `task` (JSON). A process that is lost is a TrainingError in
    the others.
    """
    if size_from_torchrun():
        distributed.init_process_group(_backend(), timeout=PATIENCE)
        with _member(Team(distributed.get_rank(), distributed.get_world_size())) as team:
            yield team
        return
    if processes == 1:
        yield Team()
        return
    with (
        tempfile.TemporaryDirectory(prefix="onmal-") as folder,
        _companions(processes, task, folder),
        join_team(0, processes, folder) as team,
    ):
        yield team


@contextmanager
def join_team(rank: int, size: int, folder: str) -> Iterator[Team]:
    """Take one's place among processes that meet in a folder."""
    meeting = Path(folder, "meeting").as_uri()
    distributed.init_process_group(
        _backend(), init_method=meeting, rank=rank, world_size=size, timeout=PATIENCE
    )
    with _member(Team(rank, size)) as team:
        team.memory = SharedMemory.among(rank, size, Path(folder).name, lambda number: team.sum(number)[0])
        yield team


@contextmanager
def _member(team: Team) -> Iterator[Team]:
    try:
        yield team
    except RuntimeError as error:
        # gloo and NCCL know no better than to say in words that the other end is gone.
        if not any(word in str(error).lower() for word in ("connection", "peer", "socket", "nccl", "gloo")):
            raise
        raise TrainingError(
            f"another process of this run was lost ({str(error).partition(chr(10))[0]})",
            "look for its last words above; go on from the last checkpoint with --resume",
        ) from None
    finally:
        team.part()


@contextmanager
def _companions(processes: int, task: Mapping[str, Any], folder: str) -> Iterator[None]:
    """Start the other processes; they end with this one, and the terminal's Ctrl-C does not reach them."""
    started: list[subprocess.Popen[str]] = []
    try:
        for rank in range(1, processes):
            environment = {
                **os.environ, "LOCAL_RANK": str(rank), "PYTHONUTF8": "1",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            }  # fmt: skip
            companion = subprocess.Popen(
                [sys.executable, "-P", "-c", JOIN],  # -P: nothing is imported from where the user stands
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment,
                start_new_session=True, creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )  # fmt: skip
            started.append(companion)
        for rank, companion in enumerate(started, 1):
            assert companion.stdin is not None
            assert companion.stdout is not None
            with suppress(OSError):  # it is gone already, as reading says
                line = json.dumps({**task, "rank": rank, "size": processes, "meeting": folder})
                companion.stdin.write(f"{line}\n")
                companion.stdin.flush()
            if companion.stdout.readline().strip() != READY:
                raise TrainingError(
                    f"process {rank} of {processes} could not be started", "set train.processes = 1"
                )
        yield
        for companion in started:
            companion.wait()
    finally:
        for companion in started:
            with suppress(OSError), companion:  # its pipes are closed, and its end is waited for
                companion.kill()


def _backend() -> str:
    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"

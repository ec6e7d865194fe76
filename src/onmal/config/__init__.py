"""Every setting of onmal in one place: the network, the data, the training run and the search, a file each.

All classes are frozen and refuse unknown keys. A run is described by one TOML file with the sections `[model]`, `[data]`,
`[train]` and `[search]`; `size = "tiny" | "small" | "base" | "big"` at its top fills in what `[model]` leaves open.
The docstring under each field is its help text.
"""

from onmal.config.data import DataConfig, DataMixConfig
from onmal.config.network import OPTIONS, SIZES, ModelConfig, Network, PositionKind, Size, Vocabulary
from onmal.config.run import SECTIONS, RunConfig
from onmal.config.search import SearchConfig
from onmal.config.training import TrainConfig

__all__ = [
    "OPTIONS",
    "SECTIONS",
    "SIZES",
    "DataConfig",
    "DataMixConfig",
    "ModelConfig",
    "Network",
    "PositionKind",
    "RunConfig",
    "SearchConfig",
    "Size",
    "TrainConfig",
    "Vocabulary",
]

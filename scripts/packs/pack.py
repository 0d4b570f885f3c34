"""What a pack is: one tiny random checkpoint, the inputs it is run on and the generations recorded of it."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Generation:
    """One recorded call of generate().

    kwargs: its arguments, or a function that makes them from the ids the model writes for row 0 when nothing restrains it (so that an
    end of sentence or a forbidden word can be one that the model is about to write). matter: arguments of which each, put back to its
    neutral value, has to change the ids; inputs are drawn until that is so.
    """

    name: str
    lengths: list[int]
    kwargs: dict | Callable[[list[int]], dict]
    matter: list[str] = field(default_factory=list)


@dataclass
class Pack:
    """A checkpoint and its cases.

    kind: enc, dec or encdec. model: name of the class in transformers. config: arguments of its configuration class. stored: keys of the
    written config.json to replace (None: to remove), for files as they lie on the Hub but no longer leave save_pretrained. gains:
    pattern of a parameter's name -> standard deviation, before the usual rule. lengths: a case per entry, its rows' lengths (encdec:
    pairs of source and target). first_id: smallest id drawn, those below are special. release: of transformers, 4 or 5, that writes it.
    """

    name: str
    kind: str
    model: str
    config: dict
    lengths: list | None = None
    generation: list[Generation] = field(default_factory=list)
    generation_config: dict = field(default_factory=dict)
    stored: dict = field(default_factory=dict)
    gains: dict[str, float] = field(default_factory=dict)
    dtype: str = "F32"
    first_id: int = 3
    release: int = 4
    seed: int = 0
    optional: bool = False
    note: str | None = None
    extra_files: dict = field(default_factory=dict)

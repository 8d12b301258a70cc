"""Group contrastive tuning of a high-level encoder: the best of a batch against its worst, no ratings.

A batch is ranked by the prompts (or prototypes); its best and worst few form two groups, and the loss draws each group
together and the two apart: for every ordered pair i, j of one group, -log(e^{s_ij} / (e^{s_ij} + sum over the other group of
e^{s_ik})), s the cosine over the temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH = 128
GROUP = 4
TEMPERATURE = 0.5
RATE = 1e-6


def group_contrastive_loss(
    embeddings: Tensor, ranking: Tensor, group: int = GROUP, temperature: float = TEMPERATURE
) -> Tensor:
    """The loss of a batch.

    Args:
        embeddings: (n, width), of any length; n at least twice `group`.
        ranking: (n,), higher is better; carries no gradient.

    Raises:
        ValueError: the batch is smaller than two groups.
    """
    if len(embeddings) < 2 * group or group < 2:
        raise ValueError(f"two groups of {group} (at least 2) don't fit into a batch of {len(embeddings)}")
    order = ranking.detach().argsort()
    unit = F.normalize(embeddings, dim=-1)
    groups = unit[order[-group:]], unit[order[:group]]
    losses = []
    for ours, others in (groups, groups[::-1]):
        near = ours @ ours.T / temperature
        far = torch.logsumexp(ours @ others.T / temperature, dim=1, keepdim=True)
        pairs = ~torch.eye(group, dtype=torch.bool, device=near.device)
        losses.append((torch.logaddexp(near, far) - near)[pairs].mean())
    return torch.stack(losses).mean()


def tune(
    encode: Callable[[Tensor], Tensor],
    parameters: Iterable[nn.Parameter],
    prompts: Tensor,
    batches: Iterable[Tensor],
    rate: float = RATE,
    group: int = GROUP,
    optimizer: torch.optim.Optimizer | None = None,
) -> list[float]:
    """Tune an encoder whose embeddings the prompts rank; returns the loss of every batch.

    Args:
        encode: batch -> unit embeddings (n, width), with gradient.
        prompts: (2, width) unit embeddings, good first; they stay as they are.
        batches: what `encode` takes, normally 128 photographs each.
        optimizer: of the parameters, where it goes on from earlier batches; a new AdamW otherwise.
    """
    optimizer = optimizer or torch.optim.AdamW(list(parameters), lr=rate)
    losses = []
    for batch in batches:
        embeddings = encode(batch)
        loss = group_contrastive_loss(embeddings, embeddings @ prompts[0] - embeddings @ prompts[1], group)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses

"""The damage branch: what GRepQ's label-free features see of damage, learned from pictures damaged by a known amount. No ratings.

A step takes some pictures, each four times: as it is, with a little of one damage, with more of it, and with two kinds one after the other,
all at one part and size. The frozen trunk reads them, the branch learns

* how strong each kind is;
* a scalar that falls with what a version lost of the clean picture (gradient similarity, and how much people mind tones), so that the order
  within a picture is learned, and that is, of pictures as they are, what the teacher says of them;
* the teacher's columns, where a picture has them: label-free numbers of the whole picture, its pixels as stored;
* with `contrast`, that versions with like damage lie near each other, whatever they show.

It is held near the features that ImageNet's branch has, so that content stays readable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.metrics.encoder import Branch, Trunk, balance, pool, pool_statistics, standardise
from cliqa.metrics.encoder_layout import POOLED_WIDTH
from cliqa.training.grepq.tensor_damage import KINDS, damage, structure_lost

VIEWS = 4
LARGEST_LOSS = 0.12  # structure lost (GMSD) that counts as 1


@dataclass(frozen=True)
class Bank:
    """Pictures to learn from.

    Attributes:
        pixels: uint8 (n, s, s, 3), s a multiple of 16.
        groups: int64 (n,), what is drawn from equally often; -1 is held out.
        teacher: float32 (n, columns), the first the scalar; NaN where unknown.
    """

    pixels: Tensor
    groups: Tensor
    teacher: Tensor


@dataclass(frozen=True)
class DamageSettings:
    """Settings, all of them."""

    pictures: int = 48  # a step, at the largest side; the pixels of a step are the same at all
    sides: tuple[int, ...] = (384, 224, 320, 256, 384, 288)  # of a view, in turn
    rate: float = 4e-4
    warmup: int = 100  # steps
    average: float = 0.998  # decay of the weights' running mean, which is what is kept
    held: float = 0.05  # weight of staying near ImageNet's features
    variants: dict[str, dict[str, float]] = field(
        default_factory=lambda: {
            "damage": {"teacher": 0.0, "contrast": 0.0},
            "teacher": {"teacher": 1.0, "contrast": 0.0},
            "contrast": {"teacher": 1.0, "contrast": 0.3},
        }
    )
    shares: tuple[float, ...] = (0.35, 0.12, 0.53)  # of the groups
    seed: int = 0


class DamageNet(nn.Module):
    """Branch, and from its pooled maps, standardised, 256 hidden numbers; from those strengths, the scalar and the teacher's columns."""

    HIDDEN, NEAR = 256, 64

    def __init__(self, branch: Branch, columns: int) -> None:
        super().__init__()
        self.branch = branch
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(POOLED_WIDTH))
        self.register_buffer("scale", torch.ones(POOLED_WIDTH))
        self.hidden = nn.Linear(POOLED_WIDTH, self.HIDDEN)
        self.strength = nn.Linear(self.HIDDEN, len(KINDS))
        self.teacher = nn.Linear(self.HIDDEN, columns)  # the scalar first
        self.near = nn.Linear(self.HIDDEN, self.NEAR)

    def forward(self, shared: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The trunk's maps -> standardised pooled features (n, POOLED_WIDTH), hidden (n, HIDDEN)."""
        with torch.autocast(shared[0].device.type, torch.bfloat16, enabled=shared[0].is_cuda):
            late = self.branch(shared[-1])
        pooled = ((pool([*shared, *late]) - self.mean) / self.scale).clamp(-6.0, 6.0)
        return pooled, F.relu(self.hidden(pooled))


def views(bank: Bank, rows: Tensor, side: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pictures of `rows`, each four times, with their damage.

    Returns:
        uint8 (4 n, side, side, 3), clean ones first, then weak, strong, chained; strengths (4 n, kinds); what was lost (4 n,).
    """
    rng = np.random.default_rng(seed)
    n, device = len(rows), bank.pixels.device
    clean = bank.pixels[rows].permute(0, 3, 1, 2).float()
    if rng.random() < 0.5:
        clean = clean.flip(3)

    def draw(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(device)

    kinds, ways = draw(rng.integers(len(KINDS), size=n)), draw(rng.integers(12, size=n))
    pair = draw(np.sort(rng.uniform(0.0, 1.0, (n, 2)).astype(np.float32), 1))
    second, other = (kinds + draw(rng.integers(1, len(KINDS), size=n))) % len(KINDS), draw(rng.integers(12, size=n))
    mixed = draw(rng.uniform(0.0, 0.8, (n, 2)).astype(np.float32))
    first, last = torch.minimum(kinds, second), torch.maximum(kinds, second)
    for_codec = (first == 3) | (first == 4)  # files are saved at the end
    first, last = torch.where(for_codec, last, first), torch.where(for_codec, first, last)
    weak, strong = (damage(clean, kinds, ways, pair[:, i], seed) for i in range(2))
    chained = damage(damage(clean, first, other, mixed[:, 0], seed + 1), last, ways, mixed[:, 1], seed + 2)
    strengths = torch.zeros((4, n, len(KINDS)), device=device)
    at = torch.arange(n, device=device)
    strengths[1, at, kinds], strengths[2, at, kinds] = pair[:, 0], pair[:, 1]
    strengths[3, at, first], strengths[3, at, last] = mixed[:, 0], mixed[:, 1]
    tone = torch.tensor([kind.tone for kind in KINDS], device=device)
    lost = torch.zeros((4, n), device=device)
    for place, version in ((1, weak), (2, strong), (3, chained)):
        structure = (structure_lost(version, clean) / LARGEST_LOSS).clamp(0.0, 2.0)
        lost[place] = structure + (strengths[place] * tone).sum(1)
    # A tone's loss of structure counts too, but never makes the stronger version the better one
    lost[2] = torch.maximum(lost[2], lost[1])
    every = torch.cat([clean, weak, strong, chained])
    whole = every.shape[2]
    shown = side if side == whole else int(rng.integers(side, min(whole, round(side * 1.4)) + 1))
    if shown != whole:
        every = F.interpolate(every, size=(shown, shown), mode="bicubic", antialias=True)
    top, left = (int(rng.integers(shown - side + 1)) for _ in range(2))
    every = every[:, :, top : top + side, left : left + side].round().clamp(0, 255).to(torch.uint8)
    return every.permute(0, 2, 3, 1), strengths.flatten(0, 1), lost.flatten()


def loss_of(
    net: DamageNet, found: tuple[Tensor, Tensor], seen: dict[str, Tensor], weights: dict[str, float], held: float
) -> Tensor:
    """The loss of one batch; `seen` holds `strengths`, `lost`, `teacher` (n, columns) of the clean pictures, `taught` pooled by ImageNet's."""
    pooled, hidden = found
    n = len(seen["teacher"])
    says = net.teacher(hidden)
    loss = 4.0 * F.mse_loss(net.strength(hidden), seen["strengths"]) + held * F.smooth_l1_loss(pooled, seen["taught"])
    scalar = says[:, 0].reshape(VIEWS, n)
    fall = scalar[:1] - scalar[1:]
    lost = seen["lost"].reshape(VIEWS, n)
    loss = loss + 0.5 * F.smooth_l1_loss(fall, lost[1:] - lost[:1])
    loss = loss + 0.3 * _order_loss(scalar[1] - scalar[2], lost[2] > lost[1] + 0.02)
    loss = loss + 0.3 * _order_loss(fall, lost[1:] > 0.1)
    if weights["teacher"]:
        known = ~seen["teacher"].isnan()
        error = F.smooth_l1_loss(says[:n], seen["teacher"].nan_to_num(), reduction="none") * known
        columns = error.sum(0) / known.sum(0).clamp_min(1)
        loss = loss + weights["teacher"] * (columns[0] + columns[1:].mean())
    else:
        loss = loss + 0.01 * scalar[0].square().mean()
    if weights["contrast"]:
        loss = loss + weights["contrast"] * likeness_loss(F.normalize(net.near(hidden), dim=1), seen["strengths"], n)
    return loss


def _order_loss(above: Tensor, counted: Tensor) -> Tensor:
    """Logistic loss of differences that should be positive, over those that count."""
    return (F.softplus(-4.0 * above) * counted).sum() / counted.sum().clamp_min(1)


def likeness_loss(near: Tensor, strengths: Tensor, n: int, temperature: float = 0.1) -> Tensor:
    """Soft contrastive loss: each version (4 n of n pictures) is drawn to those of other pictures by how like their damage is."""
    own = torch.arange(len(near), device=near.device) % n
    apart = own[:, None] == own[None, :]
    like = torch.exp(-torch.cdist(strengths, strengths).square() / 0.05).masked_fill(apart, 0.0)
    like = like / like.sum(1, keepdim=True).clamp_min(1e-6)
    chance = F.log_softmax((near @ near.T / temperature).masked_fill(apart, -1e4), dim=1)
    return -(like * chance).sum(1).mean()


class DamageTraining:
    """Several variants of the branch at once, on the same batches."""

    def __init__(self, bank: Bank, trunk: Trunk, branch: Branch, settings: DamageSettings) -> None:
        self.bank, self.settings, self.device = bank, settings, bank.pixels.device
        self.trunk = _frozen(trunk).to(self.device)
        self.free = _frozen(branch).to(self.device)
        state = branch.state_dict()
        self.nets: dict[str, DamageNet] = {}
        for name in settings.variants:
            torch.manual_seed(settings.seed)
            net = DamageNet(Branch(), bank.teacher.shape[1])
            net.branch.load_state_dict(state)
            self.nets[name] = net.to(self.device, memory_format=torch.channels_last).requires_grad_(True)
        self._standardise()
        self.averages = {name: {k: v.clone() for k, v in net.state_dict().items()} for name, net in self.nets.items()}
        self.optimizers = {name: self._optimizer(net) for name, net in self.nets.items()}
        self.step = 0

    def _optimizer(self, net: DamageNet) -> torch.optim.AdamW:
        rate = self.settings.rate
        heads = [value for name, value in net.named_parameters() if not name.startswith("branch.")]
        groups = [
            {"params": list(net.branch.parameters()), "lr": rate, "full": rate},
            {"params": heads, "lr": 2.5 * rate, "full": 2.5 * rate},
        ]
        return torch.optim.AdamW(groups, weight_decay=1e-3)

    def _standardise(self) -> None:
        """Mean and scale of ImageNet's pooled features over some batches."""
        pooled = []
        for number in range(4):
            rows = self._rows(number, min(24, self.settings.pictures))
            pixels, _, _ = views(self.bank, rows, min(self.settings.sides), number)
            pooled.append(pool(self._maps(pixels, self.free)))
        every = torch.cat(pooled)
        for net in self.nets.values():
            net.mean.copy_(every.mean(0))
            net.scale.copy_((every.std(0) + 1e-2) / balance().to(self.device) / 6.0)

    def _maps(self, pixels: Tensor, branch: Branch) -> list[Tensor]:
        shared = self._shared(pixels)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=pixels.is_cuda):
            return [*shared, *branch(shared[-1])]

    def _shared(self, pixels: Tensor) -> list[Tensor]:
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=pixels.is_cuda):
            found: list[Tensor] = self.trunk(standardise(pixels))
        return found

    def _rows(self, seed: int, count: int) -> Tensor:
        rng = np.random.default_rng([self.settings.seed, seed])
        groups = self.bank.groups.cpu().numpy()
        there = [g for g in range(len(self.settings.shares)) if (groups == g).any()]
        shares = np.array([self.settings.shares[g] for g in there])
        counts = rng.multinomial(count, shares / shares.sum())
        rows = [rng.choice(np.flatnonzero(groups == g), size=k) for g, k in zip(there, counts, strict=True)]
        return torch.from_numpy(np.concatenate(rows)).to(self.device)

    def advance(self, progress: float) -> dict[str, Tensor]:
        """One step, at a share 0-1 of the whole training; the losses by variant."""
        settings = self.settings
        side = settings.sides[self.step % len(settings.sides)]
        count = max(2, round(settings.pictures * (settings.sides[0] / side) ** 2))
        rows = self._rows(1000 + self.step, count)
        with torch.no_grad():
            pixels, strengths, lost = views(self.bank, rows, side, 17 + 3 * self.step)
        shared = self._shared(pixels)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=pixels.is_cuda):
            taught_maps = self.free(shared[-1])
        taught = pool([*shared, *taught_maps])
        teacher = self.bank.teacher[rows]
        losses = {}
        rate = min(1.0, (self.step + 1) / settings.warmup) * (0.5 + 0.5 * np.cos(np.pi * min(progress, 1.0)))
        for name, net in self.nets.items():
            optimizer = self.optimizers[name]
            for group in optimizer.param_groups:
                group["lr"] = group["full"] * rate
            seen = {"strengths": strengths, "lost": lost, "teacher": teacher,
                    "taught": ((taught - net.mean) / net.scale).clamp(-6.0, 6.0)}  # fmt: skip
            loss = loss_of(net, net(shared), seen, settings.variants[name], settings.held)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            losses[name] = loss.detach()
            with torch.no_grad():
                decay = min(settings.average, (self.step + 1) / (self.step + 10))
                kept = self.averages[name]
                now = net.state_dict()
                torch._foreach_lerp_([kept[k] for k in kept], [now[k] for k in kept], 1.0 - decay)
        self.step += 1
        return losses

    def state(self, name: str) -> dict[str, Tensor]:
        """The averaged weights of a variant, on the CPU, half precision but for statistics."""
        kept = self.averages[name].items()
        return {
            k: v.cpu().float().contiguous() if k in ("mean", "scale") else v.cpu().half().contiguous() for k, v in kept
        }

    @torch.no_grad()
    def check(self) -> list[str]:
        """How the averaged variants do on held-out pictures: strengths, order within a picture, the teacher's scalar."""
        rows = torch.nonzero(self.bank.groups == -1).flatten()
        lines = []
        for name, net in self.nets.items():
            own = {k: v.clone() for k, v in net.state_dict().items()}
            net.load_state_dict(self.averages[name])
            told, given, scalar, lost, asked = [], [], [], [], []
            for number, part in enumerate(rows.split(32)):
                pixels, strengths, gone = views(self.bank, part, self.bank.pixels.shape[1], 900_000 + number)
                _, hidden = net(self._shared(pixels))
                told.append(net.strength(hidden))
                given.append(strengths)
                scalar.append(net.teacher(hidden)[:, 0].reshape(VIEWS, -1))
                lost.append(gone.reshape(VIEWS, -1))
                asked.append(self.bank.teacher[part, 0])
            net.load_state_dict(own)
            says, was, ours, amount = torch.cat(told), torch.cat(given), torch.cat(scalar, 1), torch.cat(lost, 1)
            kinds = " ".join(f"{kind.name} {_correlation(says[:, k], was[:, k]):.2f}" for k, kind in enumerate(KINDS))
            apart = amount[2] > amount[1] + 0.02
            order = (ours[1] > ours[2])[apart].float().mean().item()
            above = (ours[0] > ours[3]).float().mean().item()
            column = torch.cat(asked)
            known = ~column.isnan()
            like = _correlation(ours[0][known], column[known])
            lines.append(f"{name:9s} {kinds} | order {order:.3f} clean above chained {above:.3f} teacher {like:.3f}")
        return lines


def _frozen(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a, b]).float())[0, 1])


def train_damage(
    training: DamageTraining, seconds: float, keep: Callable[[str, dict[str, Tensor]], None], say: Callable[[str], None]
) -> None:
    """Steps until the clock says so; kept every minute and at the end."""
    start = last = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        losses = training.advance(passed / seconds)
        if training.step in (1, 10, 50) or training.step % 200 == 0:
            say(f"{passed:6.1f} s step {training.step} " + " ".join(f"{k} {float(v):.3f}" for k, v in losses.items()))
        if time.monotonic() - last > 60:
            last = time.monotonic()
            for name in training.nets:
                keep(name, training.state(name))
            for line in training.check():
                say(line)
    for name in training.nets:
        keep(name, training.state(name))
    say(f"{training.step} steps")
    for line in training.check():
        say(line)

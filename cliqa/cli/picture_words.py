"""One picture's scores as a person reads them: the faults first, then what each metric says, or every field with its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cliqa.cli.faults import FAULTS, faults_among
from cliqa.metrics import Field, Metric
from cliqa.records import Record, Scalar
from cliqa.signal.exposure.labels import LABELS, LEVELS
from cliqa.text import display

SURE = 0.5  # of a confidence: below it a metric can't tell; what `sharpness` and its filter mean by it
ENLARGED = 1.05  # times: the threshold of its filter
DETAIL = 50  # of PDQ's own quality: below it a hash tells little, by its authors
Fields = Mapping[str, Scalar]


def in_short(record: Record, metrics: Sequence[Metric]) -> str:
    """The picture in one line: its faults, or what the metric says where there is but one."""
    return f"{_what(record)}; {_said(record, metrics[0])}" if len(metrics) == 1 else _head(record)


def in_words(record: Record, metrics: Sequence[Metric]) -> str:
    """The picture in a line for the faults and one for what each metric says."""
    width = max(len(metric.name) for metric in metrics)
    lines = [f"  {metric.name:<{width}}  {_said(record, metric)}" for metric in metrics]
    said = tuple(f"{metric.name}: " for metric in metrics)
    notes = [note for note in record.notes if not note.startswith(said)]  # those of a metric are in its line
    return "\n".join([_head(record), *lines, *(f"  note: {display(note)}" for note in notes)])


def in_full(record: Record, metrics: Sequence[Metric]) -> str:
    """Every number, what it means, and whether it is a fault; texts that tell a person nothing, such as hashes, are left out."""
    lines = [_head(record)]
    for metric in metrics:
        for field in metric.fields:
            name = f"{metric.name}.{field.name}"
            if not field.opaque:
                lines.append(
                    f"  {name:<36} {_number(record.values.get(name), field):>12}  {_meaning(name, field, record)}"
                )
    return "\n".join([*lines, *(f"  note: {display(note)}" for note in record.notes)])


def _what(record: Record) -> str:
    facts = record.facts
    return f"{display(record.path)}: {facts.get('format')}, {facts.get('width')} x {facts.get('height')} pixels"


def _head(record: Record) -> str:
    told = [fault for fault in faults_among(record.values) if fault.words]
    faults = ", ".join(fault.words for fault in told if fault.shown_by(record.values))
    return _what(record) + (f"; {faults or 'no fault found'}" if told else "")


def _said(record: Record, metric: Metric) -> str:
    """What a metric says of the picture, and the filters that would drop it."""
    fields = record.fields(metric.name)
    if all(value is None for value in fields.values()):
        start = f"{metric.name}: "
        why = next((note[len(start) :] for note in record.notes if note.startswith(start)), "")
        return "can't tell" + (f" ({display(why)})" if why else "")
    words = _WORDS[metric.name](fields) if metric.name in _WORDS else _plain(fields, metric.fields)
    if metric.name == "grepq" and getattr(metric, "fitted", False):
        words = f"quality {fields['quality']:.3g}, as the fitted model rates it"
    shown = [fault for fault in FAULTS if fault.column.startswith(f"{metric.name}.") and fault.shown_by(record.values)]
    commands = dict.fromkeys(fault.command for fault in shown if fault.words)
    return words + (f"; {', '.join(commands)} drops it" if commands else "")


def _plain(fields: Fields, declared: Sequence[Field]) -> str:
    """The fields of a metric from elsewhere, by their names."""
    shown = [
        (field.name.replace("_", " "), _number(fields.get(field.name), field)) for field in declared if not field.opaque
    ]
    return ", ".join(f"{name} {value}" for name, value in shown)


def _number(value: Scalar, field: Field) -> str:
    if value is None:
        return "none"
    return display(str(value)) if isinstance(value, str) else f"{value:.4g} {field.unit}".strip()


def _meaning(name: str, field: Field, record: Record) -> str:
    end = {"higher": ", higher is better", "lower": ", lower is better"}.get(field.better, "")
    span = "" if field.kind == "str" else f" ({field.low:g} to {field.high:g}{end})"
    fault = next((fault for fault in FAULTS if fault.column == name and fault.words), None)
    verdict = ""
    if fault is not None and record.values.get(name) is not None:
        dropped = f"; FAULT: {fault.words}, {fault.command} drops it"
        verdict = dropped if fault.shown_by(record.values) else "; no fault"
    return f"{field.meaning}{span}{verdict}"


def _of(fields: Fields, name: str) -> float:
    value = fields.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _jpeg_quality(fields: Fields) -> str:
    quality = round(_of(fields, "quality"))
    words = f"lowest JPEG quality that it was ever saved at: {quality} of 100"
    if quality >= 100 and fields.get("qf_header") is None:
        words = "no trace of a JPEG save"
    return words if _of(fields, "confidence") >= SURE else f"can't tell for sure; perhaps {words}"


def _grain_noise(fields: Fields) -> str:
    return f"PSNR {_of(fields, 'psnr'):.1f} dB; 50 is no noise, 20 very strong noise"


def _scale_factor(fields: Fields) -> str:
    scale = _of(fields, "scale")
    done = f"enlarged {scale:.2f} times" if scale > ENLARGED else f"not enlarged ({scale:.2f} times)"
    return f"{done}; chance that an upscaling network made it {100 * _of(fields, 'learned'):.0f} %"


def _jpeg_qf(fields: Fields) -> str:
    if _of(fields, "confidence") < SURE:
        return "can't tell: no clear trace of a JPEG save"
    before = fields.get("previous_qf")
    return f"last saved as a JPEG of quality {_of(fields, 'qf_final'):.0f} of 100" + (
        f", before that of {before}" if before is not None else ""
    )


def _compression(fields: Fields) -> str:
    fidelity = f"{_of(fields, 'fidelity'):.0f} of 100"
    if _of(fields, "p_lossy") < 0.5:
        return f"no loss to a codec found (fidelity {fidelity})"
    codec = fields.get("codec")
    traces = f"; strongest traces: {codec}" if codec not in (None, "none") else ""
    return f"fidelity {fidelity}; 90 looks like the original, 50 is medium{traces}"


def _exposure(fields: Fields) -> str:
    levels = {label: int(_of(fields, f"{label}_level")) for label in LABELS}
    found = [f"{label.replace('_', ' ')} ({LEVELS[level]})" for label, level in levels.items() if level > 1]
    return ", ".join(found) or "no fault of light or contrast"


def _aesthetic(fields: Fields) -> str:
    label = fields.get("label")
    chance = f"{label} (chance {100 * _of(fields, f'p_{label}'):.0f} %)"
    return f"{chance}, score {_of(fields, 'score'):.1f} from 0, rejected, to 2, accepted"


def _grepq(fields: Fields) -> str:
    return f"quality {_of(fields, 'quality'):.0f} of 100, as people would rate it"


def _sharpness(fields: Fields) -> str:
    if _of(fields, "confidence") < SURE:
        return "can't tell: no edges to tell by"
    motion = f", motion blur of {_of(fields, 'motion'):.1f} pixels" if _of(fields, "motion") > 0 else ""
    return f"blur of {_of(fields, 'blur'):.1f} pixels where it is sharpest{motion}"


def _fingerprint(fields: Fields) -> str:
    return f"{'enough' if _of(fields, 'detail') >= DETAIL else 'little'} detail to find copies by"


_WORDS: dict[str, Callable[[Fields], str]] = {
    "jpeg_quality": _jpeg_quality, "grain_noise": _grain_noise, "scale_factor": _scale_factor, "jpeg_qf": _jpeg_qf,
    "compression": _compression, "exposure": _exposure, "aesthetic": _aesthetic, "grepq": _grepq, "sharpness": _sharpness,
    "fingerprint": _fingerprint, "exposure_clip": _exposure, "aesthetic_inception": _aesthetic,
}  # fmt: skip
